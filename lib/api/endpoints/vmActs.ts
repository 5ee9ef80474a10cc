import { z } from "zod";
import { type PowerAction, powerVm } from "../../control/vms/power";
import { getVm } from "../../control/vms/view";
import { CumulusError } from "../../domain/errors";
import { operationSchema } from "../../domain/operation";
import { defaultShutdownDeadlineSeconds } from "../../domain/vm";
import { type Endpoint, endpoint } from "../endpoint";
import { idParams } from "../shapes";

const tag = "VMs";

type ActEndpoint = Endpoint<{ id: number }, unknown, { deadlineSeconds?: number | undefined }, unknown>;

function actEndpoint(
  action: PowerAction,
  summary: string,
  description: string,
  body = z.strictObject({}),
): ActEndpoint {
  return endpoint({
    method: "POST",
    path: `/api/vms/{id}/${action}`,
    tag,
    summary,
    description: `${description} Answers when the request is durable; the operation says when it is done.`,
    params: idParams,
    body: body as z.ZodType<{ deadlineSeconds?: number | undefined }>,
    response: operationSchema,
    status: 202,
    handle: ({ context, actor, params, body: options }) => powerVm(context, actor, params.id, action, options),
  });
}

const shutdownBody = z.strictObject({
  deadlineSeconds: z
    .number()
    .int()
    .min(1)
    .max(3600)
    .optional()
    .meta({ description: `After this long it is turned off; ${defaultShutdownDeadlineSeconds} when not given.` }),
});

export const startEndpoint = actEndpoint("start", "Start a VM", "A VM that runs already is left as it is.");
export const stopEndpoint = actEndpoint(
  "stop",
  "Stop a VM",
  "Power off: what the guest has not written to disk is lost.",
);
export const shutdownEndpoint = actEndpoint(
  "shutdown",
  "Shut a VM down",
  "Presses the ACPI power button, and turns the VM off if it still runs at the deadline.",
  shutdownBody,
);
export const rebootEndpoint = actEndpoint(
  "reboot",
  "Reboot a VM",
  `Asks the guest; resets it if it has not within ${defaultShutdownDeadlineSeconds} s.`,
);
export const resetEndpoint = actEndpoint("reset", "Reset a VM", "The reset button: the guest is not asked.");
export const pauseEndpoint = actEndpoint("pause", "Pause a VM", "Its CPUs stand still; its memory stays.");
export const resumeEndpoint = actEndpoint("resume", "Resume a VM", "A paused VM goes on where it was.");

export const screenshotEndpoint = endpoint({
  method: "GET",
  path: "/api/vms/{id}/screenshot",
  tag,
  summary: "Get the screen as a picture",
  description: "A PNG. When the VM is off, the last screen before that; 404 when there is none.",
  params: idParams,
  response: "image/png",
  handle: async ({ context, params, request }) => {
    const vm = await getVm(context, params.id);
    const isOn = vm.observed === "running" || vm.observed === "paused";
    const png = isOn ? await context.agent.screenshot(vm.id) : await context.agent.lastScreenshot(vm.id);
    if (!png) throw new CumulusError("not_found", `VM ${vm.name} has not shown a screen yet.`);
    return imageResponse(png, request);
  },
});

export const typeEndpoint = endpoint({
  method: "POST",
  path: "/api/vms/{id}/type",
  tag,
  summary: "Type text on a VM's keyboard",
  description: "As keystrokes of a US keyboard. Answers when all is typed; closing the request stops the typing.",
  params: idParams,
  body: z.strictObject({ text: z.string().min(1).max(1000) }),
  handle: async ({ context, params, body, request }) => {
    const vm = await getVm(context, params.id);
    await context.agent.typeText(vm.id, body.text, request.signal);
  },
});

/** The same screen again is answered 304, so that thumbnails cost little. */
async function imageResponse(png: Buffer, request: Request): Promise<Response> {
  const digest = await crypto.subtle.digest("SHA-1", new Uint8Array(png));
  const etag = `"${Buffer.from(digest).toString("hex")}"`;
  const headers = { "content-type": "image/png", "cache-control": "private, no-cache", etag };
  if (request.headers.get("if-none-match") === etag) return new Response(null, { status: 304, headers });
  return new Response(new Uint8Array(png), { headers });
}
