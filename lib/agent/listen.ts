import { execFile } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, rmSync } from "node:fs";
import type { Server } from "node:http";
import { connect } from "node:net";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { CumulusError } from "../domain/errors";

/** The system user that the console runs as when root starts Cumulus. */
const consoleUser = "cumulus";

/**
 * Listens on the agent's socket, which whoever may open it commands: 0600, or 0660 for the console's group. `conflict` when another
 * agent holds the socket; one that a dead agent left is removed.
 */
export async function listenOnAgentSocket(server: Server, socketPath: string): Promise<void> {
  if (await isAnswered(socketPath)) {
    throw new CumulusError(
      "conflict",
      `Another agent already runs on this data folder: it answers on ${socketPath}. Stop it first, or set CUMULUS_DATA_DIR to a folder of its own.`,
    );
  }
  const group = await consoleGroup();
  const folder = dirname(socketPath);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  rmSync(socketPath, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(socketPath, () => resolve(void server.off("error", reject)));
  });
  if (group === undefined) {
    chmodSync(socketPath, 0o600);
    chmodSync(folder, 0o700);
    return;
  }
  // The socket first: the folder is what lets the group in.
  chownSync(socketPath, 0, group);
  chmodSync(socketPath, 0o660);
  chownSync(folder, 0, group);
  chmodSync(folder, 0o750);
  // So that the console reaches the folder without seeing what lies beside it.
  chmodSync(dirname(folder), 0o711);
}

/** Whether a process listens there, be it one that hangs. */
function isAnswered(socketPath: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect(socketPath, () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT" || error.code === "ECONNREFUSED") resolve(false);
      // Its queue of connections is full.
      else if (error.code === "EAGAIN") resolve(true);
      else reject(error);
    });
  });
}

/** The group of the console's user when this is root and there is such a user; undefined when both run as the same user. */
async function consoleGroup(): Promise<number | undefined> {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return undefined;
  try {
    const { stdout } = await promisify(execFile)("getent", ["passwd", consoleUser]);
    return Number(stdout.split(":")[3]);
  } catch (error) {
    // getent(1): 2 says that there is no such user.
    if ((error as { code?: unknown }).code === 2) return undefined;
    throw error;
  }
}
