import { z } from "zod";
import { CumulusError } from "../../domain/errors";
import { GIB } from "../../domain/units";
import { type ConfinedResult, type Confinement, runConfined } from "./confined";
import { failedClose } from "./failedClose";
import { refusal } from "./refusal";

const readOnly: Confinement = { memoryBytes: 2 * GIB, cpuSeconds: 120, fileBytes: 0 };
const convertCpuSeconds = 1800;

const infoSchema = z.object({
  format: z.literal("qcow2"),
  "virtual-size": z.number(),
  "backing-filename": z.undefined().optional(),
  "full-backing-filename": z.undefined().optional(),
  encrypted: z.literal(false).optional(),
  snapshots: z.undefined().optional(),
});

/** Exit codes of `qemu-img check` (its manual): leaked clusters waste space and hurt nobody. */
const isSound = [0, 3];

/**
 * Has QEMU look through all of a qcow2 file's tables, once our own reading has found nothing. It must come to the same size.
 * @throws `bad_request` for a file that is damaged or isn't what it seemed
 */
export async function checkWithQemu(file: string, virtualBytes: number, signal: AbortSignal): Promise<void> {
  const lent = [{ path: file, access: "read" as const }];
  const info = await runConfined(
    "qemu-img",
    lent,
    (names) => ["info", "--output=json", "-f", "qcow2", ...names],
    readOnly,
    signal,
  );
  const parsed = info.exitCode === 0 ? infoSchema.safeParse(JSON.parse(info.stdout)) : undefined;
  if (!parsed?.success || parsed.data["virtual-size"] !== virtualBytes) {
    throw refusal("it is damaged: QEMU can't make sense of it", info.stderr);
  }
  const check = await runConfined(
    "qemu-img",
    lent,
    (names) => ["check", "-q", "-f", "qcow2", ...names],
    readOnly,
    signal,
  );
  if (!isSound.includes(check.exitCode)) {
    throw refusal("it is damaged or cut short: get it again, or mend it with qemu-img check -r all", check.stderr);
  }
}

/** Makes a qcow2 file of a raw disk. What is all zeros takes no space. */
export async function convertRaw(raw: string, qcow2: string, maxBytes: number, signal: AbortSignal): Promise<void> {
  const result = await runConfined(
    "qemu-img",
    [
      { path: raw, access: "read" },
      { path: qcow2, access: "write" },
    ],
    ([from = "", to = ""]) => ["convert", "-q", "-f", "raw", "-O", "qcow2", from, to],
    { memoryBytes: 2 * GIB, cpuSeconds: convertCpuSeconds, fileBytes: maxBytes },
    signal,
  );
  if (result.exitCode !== 0 || failedClose(result.stderr) !== null) throw conversionError(result);
}

function conversionError({ stderr }: ConfinedResult): CumulusError {
  const words = stderr.trim().split("\n").at(-1) ?? "";
  if (/No space left on device/i.test(words)) {
    return new CumulusError("insufficient_capacity", "This host's disk is full: free some space and try again.", {
      cause: stderr,
    });
  }
  if (/File too large/i.test(words)) {
    return new CumulusError("too_large", "The disk holds more data than an image may: make it smaller.", {
      cause: stderr,
    });
  }
  return new CumulusError("internal", `The disk could not be converted: ${words}`, { cause: stderr });
}
