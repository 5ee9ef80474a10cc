import type { Hypervisor } from "../hypervisor";
import { type TestHost, untilSeen } from "./testHost";

/** Makes and starts a VM that runs the test guest, up to its greeting. */
export async function startTestVm(host: TestHost, agent: Hypervisor, id: number): Promise<{ id: number; pid: number }> {
  const spec = await host.spec(id);
  await agent.ensure(spec);
  await agent.start(id);
  const { pid } = await untilSeen(agent, id, (seen) => seen.milestones["first-boot"] !== undefined);
  return { id, pid: pid ?? 0 };
}

/** What a terminal on the VM's serial port shows, growing. */
export async function openTerminal(agent: Hypervisor, id: number) {
  const stream = await agent.openSerial(id);
  const shown = { text: "", stream };
  stream.on("data", (chunk: Buffer) => {
    shown.text += chunk.toString();
  });
  return shown;
}
