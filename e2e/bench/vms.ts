import { CumulusError } from "../../lib/domain/errors";
import type { Vm } from "../../lib/domain/vm";
import { type Stack, until } from "../stack";

/** A size that the built-in image boots in, on both hypervisors. */
const nano = { image: "mini", size: "nano" };

/** Creates a VM by the API and answers as soon as the API does. */
export async function createVm(stack: Stack, name: string, changes: object = {}, query = ""): Promise<Vm> {
  const { status, body } = await stack.api<Vm>("POST", `/api/vms${query}`, { name, ...nano, ...changes });
  if (status === 201) return body;
  throw new CumulusError("internal", `POST /api/vms answered ${status}: ${JSON.stringify(body)}`);
}

/** Creates a VM and waits until its SSH answers. */
export async function createReadyVm(stack: Stack, name: string, changes: object = {}): Promise<Vm> {
  const vm = await createVm(stack, name, changes, "?wait=ready");
  if (vm.isReady) return vm;
  throw new CumulusError("internal", `The VM ${name} did not become ready: ${vm.statusReason ?? vm.status}`);
}

/** Waits until there are so many VMs and the SSH of each answers. */
export async function untilAllReady(stack: Stack, count: number, deadlineMs = 30_000): Promise<void> {
  const areReady = async () => {
    const { body } = await stack.api<{ items: Vm[] }>("GET", "/api/vms");
    return body.items.length === count && body.items.every(({ isReady }) => isReady);
  };
  await until(`${count} VMs are ready`, areReady, deadlineMs);
}

/** Pauses a VM, so that its guest takes no processor time from what is measured. */
export async function pauseVm(stack: Stack, id: number): Promise<void> {
  await stack.api("POST", `/api/vms/${id}/pause`, {});
  await until(`VM ${id} is paused`, async () => (await stack.agent.observe(id)).state === "paused");
}

/** Destroys a VM and waits until it is gone, so that it takes no time from what is measured next. */
export async function destroyVm(stack: Stack, id: number): Promise<void> {
  await stack.api("DELETE", `/api/vms/${id}`);
  await until(`VM ${id} is gone`, async () => (await stack.api("GET", `/api/vms/${id}`)).status === 404);
}

/** The process of a VM's QEMU, as soon as there is one. */
export async function qemuPidOf(stack: Stack, id: number): Promise<number> {
  let pid: number | null = null;
  await until(`VM ${id} has a QEMU`, async () => {
    pid = (await stack.agent.observe(id)).pid;
    return pid !== null;
  });
  return pid ?? 0;
}
