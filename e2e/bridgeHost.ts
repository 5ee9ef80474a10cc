import { randomBytes } from "node:crypto";
import { LabNamespace } from "../lib/hypervisor/testing/lab/lab";

/** The host's address on the internet, and a server's there (RFC 5737). */
export const hostAddress = "203.0.113.2";
export const internetAddress = "203.0.113.1";

/**
 * A namespace that is a host, joined to nothing but another one that is "the internet": a stack's agent makes its bridges there, and no packet leaves this
 * machine.
 */
export class BridgeHost {
  private constructor(
    readonly host: LabNamespace,
    readonly internet: LabNamespace,
  ) {}

  static async make(): Promise<BridgeHost> {
    const key = randomBytes(3).toString("hex");
    const made = new BridgeHost(new LabNamespace(`e2e-${key}-host`), new LabNamespace(`e2e-${key}-inet`));
    process.on("exit", made.removeAtExit);
    const { host, internet } = made;
    try {
      await host.make();
      await internet.make();
      await host.ip(
        `link add wan type veth peer name lan netns ${internet.name}`,
        `address add ${hostAddress}/24 dev wan`,
        "link set dev wan up",
      );
      await internet.ip(`address add ${internetAddress}/24 dev lan`, "link set dev lan up");
      await host.ip(`route add default via ${internetAddress}`);
      return made;
    } catch (error) {
      await made.remove();
      throw error;
    }
  }

  async remove(): Promise<void> {
    await this.host.remove();
    await this.internet.remove();
    process.off("exit", this.removeAtExit);
  }

  /** For a test process that ends early. */
  private readonly removeAtExit = () => {
    for (const namespace of [this.host, this.internet]) namespace.removeAtExit();
  };
}
