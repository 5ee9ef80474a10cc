import { createHash } from "node:crypto";
import { z } from "zod";
import type { MachineSpec } from "../../domain/machine";

/** What a guest's memory fits into: it is loaded by a machine with the same hardware or not at all. */
export const hardwareSchema = z.object({
  vcpus: z.number().int().positive(),
  memoryBytes: z.number().int().positive(),
  /** Hash over all that the guest sees of the machine: type, processor, devices. */
  key: z.string().regex(/^[0-9a-f]{64}$/),
});
export type Hardware = z.infer<typeof hardwareSchema>;

const options = new Set(["-machine", "-cpu", "-smp", "-m", "-device"]);

/** The hardware that these arguments make. Pure. */
export function hardwareOf({ vcpus, memoryBytes }: MachineSpec, args: readonly string[]): Hardware {
  const parts = args.flatMap((value, index) => {
    const option = args[index - 1] ?? "";
    return options.has(option) ? [`${option} ${option === "-device" ? deviceOf(value) : value}`] : [];
  });
  const key = createHash("sha256").update(JSON.stringify(parts)).digest("hex");
  return { vcpus, memoryBytes, key };
}

/** A device without what lies in it and what the firmware tries first. */
function deviceOf(value: string): string {
  const device: Record<string, unknown> = JSON.parse(value);
  const { drive: _drive, bootindex: _bootindex, ...rest } = device;
  return JSON.stringify(rest);
}
