import { createHash } from "node:crypto";
import { z } from "zod";
import type { MachineSpec } from "../../domain/machine";
import { machineAliases } from "./machineTypes";

/** What a guest's memory fits into: it is loaded by a machine with the same hardware or not at all. */
export const hardwareSchema = z.object({
  vcpus: z.number().int().positive(),
  memoryBytes: z.number().int().positive(),
  /** Its version of the machine; not noted by earlier versions of Cumulus. */
  machineType: z
    .string()
    .regex(/^[\w.-]+$/)
    .optional(),
  /** Hash over all else that the guest sees of the machine: processor, devices. */
  key: z.string().regex(/^[0-9a-f]{64}$/),
});
export type Hardware = z.infer<typeof hardwareSchema>;

const options = new Set(["-cpu", "-smp", "-m"]);

/** The hardware that these arguments make. Pure. */
export function hardwareOf({ vcpus, memoryBytes, arch }: MachineSpec, args: readonly string[]): Hardware {
  const alias = machineAliases[arch];
  const type = args[args.indexOf("-machine") + 1]?.split(",")[0];
  const parts = args.flatMap((value, index) => {
    const option = args[index - 1] ?? "";
    if (option === "-device") return [`${option} ${deviceOf(value)}`];
    // As keys were made when machines had no version: those are still compared.
    if (option === "-machine") return [`${option} ${value.replace(/^[^,]*/, alias)}`];
    return options.has(option) ? [`${option} ${value}`] : [];
  });
  const key = createHash("sha256").update(JSON.stringify(parts)).digest("hex");
  return { vcpus, memoryBytes, machineType: type === alias ? undefined : type, key };
}

/** A device without what lies in it and what the firmware tries first. */
function deviceOf(value: string): string {
  const device: Record<string, unknown> = JSON.parse(value);
  const { drive: _drive, bootindex: _bootindex, ...rest } = device;
  return JSON.stringify(rest);
}
