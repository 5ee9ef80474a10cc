import { Readable } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { extract } from "tar-stream";
import { CumulusError } from "../domain/errors";
import { MIB } from "../domain/units";
import { vmFiles } from "../domain/vmArchive";
import { readForeignDescription, type VmDescription } from "../domain/vmDescription";
import { discard } from "./discard";
import { admitEntry, archiveRefusal, brokenArchive, readEntry } from "./entries";

/** The description and what a tar says of it take less. */
const mostHeadBytes = 4 * MIB;
const stallTimeoutMs = 60_000;

/**
 * Reads what an archive says of its VM, while the rest of it is yet to come.
 * @param body whole, or as much of it as has come; read from its beginning
 * @returns `body`: all of it again, what was read already included; when it is destroyed, the rest that comes is discarded
 * @throws `bad_request` for what doesn't begin with a description, or with one that no VM can have; the rest of `body` is then discarded as well
 */
export async function readHead(body: Readable): Promise<{ description: VmDescription; body: Readable }> {
  const kept: Buffer[] = [];
  const chunks: AsyncIterator<Buffer> = body[Symbol.asyncIterator]();
  const stalled = new CumulusError("bad_request", `Nothing came for ${stallTimeoutMs / 1000} s: send the file again.`);
  const timer = setTimeout(() => body.destroy(stalled), stallTimeoutMs);
  try {
    const description = descriptionIn(await firstEntry(chunks, kept));
    const whole = Readable.from(again(kept, chunks), { objectMode: false });
    // At its end there is nothing left; but one that is destroyed may not have come to ask for what is to come.
    whole.once("close", () => void discard(body, chunks));
    return { description, body: whole };
  } catch (error) {
    void discard(body, chunks);
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

async function firstEntry(chunks: AsyncIterator<Buffer>, kept: Buffer[]): Promise<Buffer> {
  const archive = extract();
  let isSettled = false;
  let hasEntry = false;
  const first = new Promise<Buffer>((resolve, reject) => {
    archive.on("entry", (header, stream) => {
      hasEntry = true;
      try {
        const { name } = admitEntry(header, new Set());
        if (name !== vmFiles.description) throw mustBeginWithDescription();
        readEntry(stream).then(resolve, (error) => reject(brokenArchive(error)));
      } catch (error) {
        reject(error);
      }
    });
    archive.on("error", (error: Error) => reject(brokenArchive(error)));
    archive.on("finish", () => hasEntry || reject(archiveRefusal(`it has no ${vmFiles.description}`)));
  });
  const settle = () => {
    isSettled = true;
  };
  first.then(settle, settle);
  try {
    for (let bytes = 0; !isSettled; ) {
      if (bytes > mostHeadBytes) throw mustBeginWithDescription();
      const { value, done } = await chunks.next();
      if (done) {
        archive.end(null);
        break;
      }
      kept.push(value);
      bytes += value.length;
      archive.write(value);
      // What it makes of it comes a little later.
      await setImmediate();
    }
    return await first;
  } finally {
    archive.destroy();
  }
}

function mustBeginWithDescription(): CumulusError {
  return archiveRefusal(`it must begin with ${vmFiles.description}`);
}

async function* again(kept: Buffer[], chunks: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  yield* kept;
  // Only `next`: one that is left before its end would destroy the body, of which the rest is yet to be discarded.
  yield* { [Symbol.asyncIterator]: () => ({ next: () => chunks.next() }) };
}

function descriptionIn(text: Buffer): VmDescription {
  const read = readForeignDescription(text.toString("utf8"));
  if ("description" in read) return read.description;
  throw archiveRefusal(`${vmFiles.description} in it ${read.whyNot}`);
}
