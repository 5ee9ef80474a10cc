import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { CumulusError } from "../../domain/errors";
import { QmpError } from "../qmp/client";
import type { RunningQemu } from "../runningQemu";

/** To stop a guest, QEMU writes out what its disk has in memory; to let it go on, it may read the disk's tables. On a busy disk that is long. */
export const holdMs = 30_000;

const capabilitiesMs = 5_000;
/** To hold a guest at the end of a copy, QEMU writes out its disks, and answers nobody meanwhile. */
const lookMs = 15_000;
const pollMs = 100;

/**
 * How QEMU sends a guest's memory (qapi/migration.json). `copying`: while the guest runs, and again what it changes meanwhile; the guest is held before
 * the last of it. `watching`: as it is now, while the guest runs: its pages are protected, and sent before it changes them. `standing`: the guest is to stand still until all is sent.
 */
export type SendingWay = "copying" | "watching" | "standing";

/** @returns whether QEMU has taken it: not every host lets it watch */
export async function chooseSending(qemu: RunningQemu, way: SendingWay): Promise<boolean> {
  const capabilities = [
    { capability: "background-snapshot", state: way === "watching" },
    { capability: "pause-before-switchover", state: way === "copying" },
    { capability: "events", state: way === "copying" },
  ];
  try {
    await qemu.execute("migrate-set-capabilities", { capabilities }, capabilitiesMs);
    return true;
  } catch (error) {
    if (way === "watching" && error instanceof QmpError && error.kind === "refused") return false;
    throw error;
  }
}

const capabilitiesSchema = z.array(z.object({ capability: z.string(), state: z.boolean() }));

/** Whether QEMU write-protects the guest's pages while it sends them, or would. */
export async function isWatchingMemory(qemu: RunningQemu): Promise<boolean> {
  const capabilities = capabilitiesSchema.parse(await qemu.execute("query-migrate-capabilities"));
  return capabilities.some(({ capability, state }) => capability === "background-snapshot" && state);
}

const migrationSchema = z.object({
  status: z.string().default("none"),
  "error-desc": z.string().optional(),
  ram: z
    .object({
      transferred: z.number(),
      remaining: z.number(),
      total: z.number(),
      "dirty-sync-count": z.number(),
    })
    .optional(),
});
const endings = new Set(["none", "completed", "failed", "cancelled"]);

/** How far QEMU is with a guest's memory. */
export interface Sending {
  /** MigrationStatus in qapi/migration.json. */
  status: string;
  isOver: boolean;
  sentBytes: number;
  /** Of all of the guest's memory, and how much of it is not yet as it is in the guest. */
  totalBytes: number;
  remainingBytes: number;
  /** How often QEMU has looked which pages the guest had changed. */
  passes: number;
}

/** How far QEMU is. Rejects with `internal` when sending failed, `conflict` when QEMU is gone, and with `QmpError` when QEMU doesn't say. */
export async function readSending(qemu: RunningQemu): Promise<Sending> {
  if (qemu.hasEnded) throw new CumulusError("conflict", "The VM's QEMU ended while its memory was written.");
  const { status, ram, ...rest } = migrationSchema.parse(await qemu.execute("query-migrate", {}, lookMs));
  if (status === "failed") {
    throw new CumulusError("internal", `QEMU gave up writing the guest's memory. ${rest["error-desc"] ?? ""}`);
  }
  return {
    status,
    isOver: endings.has(status),
    sentBytes: ram?.transferred ?? 0,
    totalBytes: ram?.total ?? 0,
    remainingBytes: ram?.remaining ?? 0,
    passes: ram?.["dirty-sync-count"] ?? 0,
  };
}

/**
 * Reads how far QEMU is, again whenever it says that it is further, and every now and then, until that is enough. Rejects as `readSending`.
 * @param isEnough may do what is to be done meanwhile
 */
export async function followSending(
  qemu: RunningQemu,
  isEnough: (sending: Sending) => boolean | Promise<boolean>,
): Promise<Sending> {
  for (;;) {
    const isFurther = nextChange(qemu);
    const sending = await readSending(qemu);
    if (await isEnough(sending)) return sending;
    await isFurther;
  }
}

/** Resolves when QEMU says that it is in another state, which it does when copying, or after a while. */
function nextChange(qemu: RunningQemu): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      stop();
      resolve();
    };
    const timer = setTimeout(done, pollMs);
    const stop = qemu.onEvents(({ name }) => {
      if (name === "MIGRATION") done();
    });
  });
}

/** Resolves when no memory is being sent any more. Rejects as `readSending`. */
export async function memorySent(qemu: RunningQemu, onBytes: (bytes: number) => void = () => {}): Promise<void> {
  await followSending(qemu, ({ isOver, sentBytes }) => {
    onBytes(sentBytes);
    return isOver;
  });
}

/** As `memorySent`, however it ends. */
export async function sendingOver(qemu: RunningQemu): Promise<void> {
  await memorySent(qemu).catch((error: unknown) => {
    if (!(error instanceof CumulusError)) throw error;
  });
}

export async function isSendingMemory(qemu: RunningQemu): Promise<boolean> {
  try {
    return !(await readSending(qemu)).isOver;
  } catch (error) {
    if (error instanceof CumulusError) return false;
    throw error;
  }
}

/** Has QEMU send no more: a guest that it holds for the last of its memory goes on. What it watches can't be broken off, and is waited for. */
export async function endSending(qemu: RunningQemu): Promise<void> {
  if (await isSendingMemory(qemu)) {
    if (!(await isWatchingMemory(qemu))) await qemu.execute("migrate_cancel", {}, holdMs);
    await sendingOver(qemu);
  }
  await untilReleasable(qemu);
}

/** Resolves when QEMU, which sends no more, can let the guest go on: it says so a moment later (RunState in qapi/run-state.json). */
export async function untilReleasable(qemu: RunningQemu): Promise<void> {
  for (;;) {
    const { status } = runStateSchema.parse(await qemu.execute("query-status", {}, lookMs));
    if (status !== "finish-migrate") return;
    await delay(1);
  }
}

const runStateSchema = z.object({ status: z.string() });
const kvmSchema = z.object({ enabled: z.boolean() });

/** Whether QEMU can look again and again which pages a guest has changed while it runs. Its emulator misses changes then (QEMU commit 03bfc2188f, of 9.0). */
export async function canLookAgain(qemu: RunningQemu): Promise<boolean> {
  return kvmSchema.parse(await qemu.execute("query-kvm")).enabled;
}
