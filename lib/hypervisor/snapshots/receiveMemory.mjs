// Takes a guest's memory from its QEMU and writes it into a file: node receiveMemory.mjs SOCKET FILE read-on|break-off MOST-BYTES [UID GID]
//
// A process of its own, which outlives the agent: a QEMU whose background snapshot breaks off stands still for ever (7.2: it waits for its main loop,
// which waits for a page that is still protected). So where it is to read on, once QEMU has connected, all is read to the end, whatever happens to the agent or the file. When the agent
// wants it no more, or is gone, standard input ends: then nothing more is written, and who hasn't connected doesn't get to.
// One that copies, and would hold its guest at the end of that, goes on when the connection breaks: there it breaks off.
// Says "listening" when QEMU may connect. Ends with 0 when all is written, 28 when the disk was full, 27 when more came than may be in the file, 1 for anything else.

import { chmodSync, chownSync, closeSync, openSync, writeSync } from "node:fs";
import { createServer } from "node:net";

const [socketPath, file, end, mostBytes, uid, gid] = process.argv.slice(2);
const isFull = new Set(["ENOSPC", "EDQUOT"]);

/** A connection may have been made of which we haven't heard. */
const graceMs = 1000;

let exitCode = 0;
let writtenBytes = 0;
let isConnected = false;
const fd = openSync(file, "wx", 0o600);
const fail = (error) => {
  exitCode = isFull.has(error.code) ? 28 : 1;
};

function write(chunk) {
  writtenBytes += chunk.length;
  if (writtenBytes > Number(mostBytes)) {
    exitCode = 27;
    return;
  }
  try {
    for (let offset = 0; offset < chunk.length; ) offset += writeSync(fd, chunk, offset);
  } catch (error) {
    fail(error);
  }
}

// Nobody may be there to hear it.
process.stdout.on("error", () => {});
process.umask(0o177);
const server = createServer((socket) => {
  isConnected = true;
  server.close();
  socket.on("data", (chunk) => {
    if (exitCode === 0) write(chunk);
  });
  socket.on("error", fail);
  socket.on("close", () => {
    closeSync(fd);
    process.exit(exitCode);
  });
});
process.stdin.on("error", () => {});
process.stdin.resume().on("close", () => {
  exitCode ||= 1;
  if (end === "break-off") process.exit(1);
  setTimeout(() => isConnected || process.exit(1), graceMs);
});
server.listen(socketPath, () => {
  chmodSync(socketPath, 0o600);
  if (uid !== undefined) chownSync(socketPath, Number(uid), Number(gid));
  process.stdout.write("listening\n");
});
