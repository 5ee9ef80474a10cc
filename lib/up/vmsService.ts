import type { Settings } from "../env";
import { stopVmsUntilNextStart } from "./stopVms";
import type { Service } from "./supervisor";

/**
 * The VMs as a part of Cumulus that ends with it, for where they can't outlive it: in a container. They are shut down when it stops, and brought back by the next start.
 * To be started after the agent, which shuts them down, and before the console, which must not take that for the guests' own wish.
 */
export class VmsService implements Service {
  readonly name = "VMs";
  private readonly settings: Settings;
  private end: () => void = () => undefined;
  private readonly hasEnded = new Promise<string>((resolve) => {
    this.end = () => resolve("stopped");
  });

  constructor(settings: Settings) {
    this.settings = settings;
  }

  async start(): Promise<void> {
    // The console starts them.
  }

  ended(): Promise<string> {
    return this.hasEnded;
  }

  async stop(): Promise<void> {
    // Without an agent nobody can.
    await stopVmsUntilNextStart(this.settings).catch(() => undefined);
    this.end();
  }
}
