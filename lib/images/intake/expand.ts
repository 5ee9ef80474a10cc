import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import type { Duplex } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { execa } from "execa";
import { CumulusError } from "../../domain/errors";
import { GIB, MIB } from "../../domain/units";
import { confinedCommand, confinedUser, notInstalled, toolEnvironment } from "../checks/confined";
import { refusal } from "../checks/refusal";
import type { ImageLimits } from "../staging/limits";
import { openSparseFile } from "../staging/sparseFile";
import type { TransferMeter } from "../staging/transferMeter";

export type Compression = "gz" | "xz" | "zst";

/** Dictionaries that the formats' usual levels need (`xz -9`: 65 MiB, `zstd --ultra -22`: 128 MiB), and some. */
const dictionaryBytes = 256 * MIB;
const confinement = { memoryBytes: GIB, cpuSeconds: 3600, fileBytes: 0 };

/**
 * Unpacks a file, as a stream and no further than the limits allow.
 * @throws `bad_request` for a file that is damaged or cut short; `too_large`; `unavailable` when the tool isn't installed
 */
export async function expand(
  from: string,
  to: string,
  compression: Compression,
  limits: ImageLimits,
  { meter, signal }: { meter: TransferMeter; signal: AbortSignal },
): Promise<void> {
  const { size } = await stat(from);
  const sink = await openSparseFile(to, limits);
  const unpacker = await openUnpacker(compression);
  const source = createReadStream(from, { highWaterMark: MIB });
  const told = async function* () {
    for await (const chunk of source) {
      meter.tell(source.bytesRead, size);
      yield chunk;
    }
  };
  try {
    await pipeline(told, unpacker, sink, { signal });
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof CumulusError) throw error;
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    if (code === "ENOENT" || (error instanceof Error && "exitCode" in error && error.exitCode === 127))
      throw notInstalled(toolOf(compression));
    if (code.startsWith("E")) throw error;
    throw refusal(`it is damaged or cut short, and can't be unpacked (${compression})`, error);
  }
}

async function openUnpacker(compression: Compression): Promise<Duplex> {
  if (compression === "gz") return createGunzip({ chunkSize: 256 * 1024 });
  const args =
    compression === "xz"
      ? ["--decompress", "--stdout", `--memlimit-decompress=${dictionaryBytes}`]
      : ["--decompress", "--stdout", "--quiet", `--memory=${dictionaryBytes}`];
  const command = confinedCommand(await confinedUser(), toolOf(compression), args, confinement);
  return execa(command.program, command.args, {
    buffer: { stdout: false },
    env: toolEnvironment(),
    extendEnv: false,
    killSignal: "SIGKILL",
  }).duplex();
}

function toolOf(compression: Compression): string {
  return compression === "zst" ? "zstd" : compression;
}
