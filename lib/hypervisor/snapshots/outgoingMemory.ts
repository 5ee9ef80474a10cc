import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { CumulusError } from "../../domain/errors";
import { QmpError } from "../qmp/client";
import type { RunningQemu } from "../runningQemu";

const capabilitiesMs = 5_000;
const pollMs = 100;

/**
 * Has QEMU write-protect a guest's pages while it sends them, so that the guest runs on ("background-snapshot", qapi/migration.json), or not.
 * @returns whether QEMU has taken it: not every host lets it
 */
export async function watchMemory(qemu: RunningQemu, state: boolean): Promise<boolean> {
  const capabilities = [{ capability: "background-snapshot", state }];
  try {
    await qemu.execute("migrate-set-capabilities", { capabilities }, capabilitiesMs);
    return true;
  } catch (error) {
    if (state && error instanceof QmpError && error.kind === "refused") return false;
    throw error;
  }
}

const capabilitiesSchema = z.array(z.object({ capability: z.string(), state: z.boolean() }));

/** Whether it does so, or would. */
export async function isWatchingMemory(qemu: RunningQemu): Promise<boolean> {
  const capabilities = capabilitiesSchema.parse(await qemu.execute("query-migrate-capabilities"));
  return capabilities.some(({ capability, state }) => capability === "background-snapshot" && state);
}

const migrationSchema = z.object({
  status: z.string().optional(),
  "error-desc": z.string().optional(),
  ram: z.object({ transferred: z.number() }).optional(),
});
const endings = new Set(["none", "completed", "failed", "cancelled"]);

/**
 * Resolves when no memory is being sent any more. Rejects with `internal` when that failed, `conflict` when QEMU is gone, and with `QmpError` when QEMU doesn't say.
 * @param onBytes told how many have been sent
 */
export async function memorySent(qemu: RunningQemu, onBytes: (bytes: number) => void = () => {}): Promise<void> {
  for (;;) {
    if (qemu.hasEnded) throw new CumulusError("conflict", "The VM's QEMU ended while its memory was written.");
    const { status = "none", ram, ...rest } = await readMigration(qemu);
    onBytes(ram?.transferred ?? 0);
    if (endings.has(status)) {
      if (status !== "failed") return;
      throw new CumulusError("internal", `QEMU gave up writing the guest's memory. ${rest["error-desc"] ?? ""}`);
    }
    await delay(pollMs);
  }
}

export async function isSendingMemory(qemu: RunningQemu): Promise<boolean> {
  const { status = "none" } = await readMigration(qemu);
  return !endings.has(status);
}

async function readMigration(qemu: RunningQemu) {
  return migrationSchema.parse(await qemu.execute("query-migrate"));
}

/** As `memorySent`, however it ends. */
export async function sendingOver(qemu: RunningQemu): Promise<void> {
  await memorySent(qemu).catch((error: unknown) => {
    if (!(error instanceof CumulusError)) throw error;
  });
}
