// Takes a guest's memory from its QEMU and writes it into a file: node receiveMemory.mjs SOCKET FILE [UID GID]
//
// A process of its own, which outlives the agent: a QEMU whose background snapshot breaks off stands still for ever (7.2: it waits for its main loop,
// which waits for a page that is still protected). So all is read to the end, whatever happens to the agent or the file.
// Says "listening" when QEMU may connect. Ends with 0 when all is written, 28 when the disk was full, 1 for anything else.

import { chmodSync, chownSync, closeSync, openSync, writeSync } from "node:fs";
import { createServer } from "node:net";

const [socketPath, file, uid, gid] = process.argv.slice(2);
const connectMs = 60_000;
const isFull = new Set(["ENOSPC", "EDQUOT"]);

let exitCode = 0;
const fd = openSync(file, "wx", 0o600);
const fail = (error) => {
  exitCode = isFull.has(error.code) ? 28 : 1;
};

function write(chunk) {
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
  clearTimeout(timer);
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
const timer = setTimeout(() => process.exit(1), connectMs);
server.listen(socketPath, () => {
  chmodSync(socketPath, 0o600);
  if (uid !== undefined) chownSync(socketPath, Number(uid), Number(gid));
  process.stdout.write("listening\n");
});
