import { createServer, type Socket } from "node:net";
import { parentPort, workerData } from "node:worker_threads";
import type { VncPeerData } from "./vncPeer";

const chunk = Buffer.alloc(64 * 1024, "RFB");

/** The other thread of `startVncPeer`: says a word to it when it listens. */
export function serveVncPeer(): void {
  const { path, kind } = workerData as VncPeerData;
  const server = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    if (kind === "echo") socket.pipe(socket);
    else flood(socket);
  });
  server.listen(path, () => parentPort?.postMessage("listening"));
}

function flood(socket: Socket): void {
  const pump = () => {
    while (socket.writable && socket.write(chunk));
  };
  socket.on("drain", pump);
  socket.resume();
  pump();
}
