import { getLabVm, listLabVms } from "../../control/lab/vms";
import { waitForNew } from "../../control/lab/waitForNew";
import { waitForPower } from "../../control/lab/waitForPower";
import { destroyVm } from "../../control/vms/destroy";
import { powerVm } from "../../control/vms/power";
import { CumulusError } from "../../domain/errors";
import type { Vm } from "../../domain/vm";
import type { Observed } from "../../domain/vmStatus";
import { endpoint } from "../endpoint";
import { createFromLab } from "../lab/create";
import { type LabBody, labBody, labCreated, labDenied, labError, labInfo, labList, labOk } from "../lab/shapes";

const tag = "OS Cloud lab";
const failures = { inPlace: labError, denied: labDenied };
const description =
  'The interface of the "OS Cloud" lab. Answers 200 also when something went wrong: `{"status":"error","error_msg":"…"}`. Only who may not ask gets 401 or 403, and a wrong method 405. With CUMULUS_LAB=1 it needs no token on loopback, where guests can\'t reach that.';

export const labListEndpoint = endpoint({
  method: "GET",
  path: "/vm_list",
  tag,
  failures,
  summary: "List VMs as the lab does",
  description,
  response: labList,
  handle: ({ context }) => listLabVms(context),
});

export const labCreateEndpoint = endpoint({
  method: "POST",
  path: "/vm_create",
  tag,
  failures,
  summary: "Create a VM as the lab does",
  description: `${description} \`name\`, \`image\`, \`network\`, \`mem_size\`, \`disk_size\`, and \`ssh_key\` if root shall log in with one. Answers when the VM runs. One whose disk can't be made is not listed.`,
  body: labBody,
  response: labCreated,
  handle: async ({ context, services, actor, body }) => {
    const id = await createFromLab(context, actor, body);
    await waitForNew(context, services.changes, actor, id);
    return { id, status: "ok" as const };
  },
});

export const labInfoEndpoint = endpoint({
  method: "POST",
  path: "/vm_info",
  tag,
  failures,
  summary: "Get a VM as the lab does",
  description,
  body: labBody,
  response: labInfo,
  handle: async ({ context, body }) => {
    const id = idOf(body);
    const { vm, name, image } = await found(`vm "${id}" not found`, getLabVm(context, id));
    return {
      disk_size: vm.size.diskBytes,
      id,
      ip: vm.ipv4,
      mem_size: vm.size.memoryBytes,
      name,
      network: vm.network.name,
      os: image,
      state: labStates[vm.observed],
    };
  },
});

export const labStartEndpoint = endpoint({
  method: "POST",
  path: "/vm_start",
  tag,
  failures,
  summary: "Start a VM as the lab does",
  description: `${description} Answers when it runs; one that runs already is left as it is.`,
  body: labBody,
  response: labOk,
  handle: async ({ context, services, actor, body, request }) => {
    const id = idOf(body);
    const { vm } = await found(`vm '${id}' not found`, getLabVm(context, id));
    if (runsUnheard(vm)) return { status: "ok" as const };
    if (vm.status !== "running") await powerVm(context, actor, id, vm.status === "paused" ? "resume" : "start");
    await waitForPower(context, services.changes, id, "running", request.signal);
    return { status: "ok" as const };
  },
});

export const labStopEndpoint = endpoint({
  method: "POST",
  path: "/vm_stop",
  tag,
  failures,
  summary: "Stop a VM as the lab does",
  description: `${description} Its QEMU is ended; one that is off already is left as it is.`,
  body: labBody,
  response: labOk,
  handle: async ({ context, services, actor, body, request }) => {
    const id = idOf(body);
    const { vm } = await found(`vm '${id}' not found`, getLabVm(context, id));
    if (vm.status !== "stopped") await powerVm(context, actor, id, "stop");
    await waitForPower(context, services.changes, id, "stopped", request.signal);
    return { status: "ok" as const };
  },
});

export const labDeleteEndpoint = endpoint({
  method: "POST",
  path: "/vm_delete",
  tag,
  failures,
  summary: "Destroy a VM as the lab's students would",
  description: `${description} Answers when its disk is gone.`,
  body: labBody,
  response: labOk,
  handle: async ({ context, services, actor, body, request }) => {
    const id = idOf(body);
    await found(`vm '${id}' not found`, destroyVm(context, actor, id, { withSnapshots: false }));
    await waitForPower(context, services.changes, id, "gone", request.signal);
    return { status: "ok" as const };
  },
});

function idOf(body: LabBody): number {
  const id = Object.hasOwn(body, "id") ? body.id : undefined;
  if (id === undefined || id === null || id === "") throw new CumulusError("bad_request", "VM id not provided");
  const number =
    typeof id === "number" ? id : typeof id === "string" && /^\d{1,10}$/.test(id) ? Number(id) : Number.NaN;
  if (Number.isInteger(number) && number >= 0 && number < 2 ** 31) return number;
  throw new CumulusError("bad_request", `Invalid id: ${JSON.stringify(id).slice(0, 100)}`);
}

/** As the lab words it, when there is none. */
async function found<T>(message: string, answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof CumulusError && error.code === "not_found") throw new CumulusError("not_found", message);
    throw error;
  }
}

/** Whether it is to run and `vm_info` says that it does, though it is not heard of now: a start would change nothing. */
function runsUnheard({ status, desired, observed }: Vm): boolean {
  return status === "unreachable" && desired === "running" && labStates[observed] === "RUNNING";
}

/** The lab's words say whether there is a QEMU, whatever is wanted. */
const labStates = {
  absent: "STOPPED",
  stopped: "STOPPED",
  crashed: "STOPPED",
  running: "RUNNING",
  unresponsive: "RUNNING",
  paused: "PAUSED",
} as const satisfies Record<Observed, string>;
