import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { rename } from "node:fs/promises";
import { connect } from "node:net";
import { execa } from "execa";
import { machinePaths } from "../../lib/hypervisor/machinePaths";
import { freePort } from "../../lib/system/testing/freePort";
import { type Stack, until } from "../stack";
import { type Link, openUnixLink, openWebSocketLink } from "./link";
import { startVncPeer, type VncPeerKind } from "./vncPeer";

/** A way to a VM's screen. */
export type OpenLink = (onBytes: (bytes: Buffer) => void) => Promise<Link>;

/** As the browser goes: WebSocket → console → agent → the VM's VNC socket. */
export function throughConsole(stack: Stack, vmId: number): OpenLink {
  const url = `${stack.url.replace("http", "ws")}/api/vms/${vmId}/vnc`;
  return (onBytes) => openWebSocketLink(url, { authorization: `Bearer ${stack.token}` }, onBytes);
}

export function direct(stack: Stack, vmId: number): OpenLink {
  return (onBytes) => openUnixLink(machinePaths(stack.settings, vmId).vnc, onBytes);
}

export interface Websockify {
  open: OpenLink;
  close(): void;
}

/** Debian's websockify in front of a VM's VNC socket; undefined where it isn't installed. */
export async function startWebsockify(stack: Stack, vmId: number): Promise<Websockify | undefined> {
  const { failed } = await execa("websockify", ["--help"], { reject: false, stdin: "ignore" });
  if (failed) return undefined;
  const port = await freePort();
  const target = `--unix-target=${machinePaths(stack.settings, vmId).vnc}`;
  const child = spawn("websockify", [target, `127.0.0.1:${port}`], { stdio: "ignore" });
  await until("websockify listens", () => accepts(port));
  return {
    open: (onBytes) => openWebSocketLink(`ws://127.0.0.1:${port}/`, {}, onBytes),
    close: () => end(child),
  };
}

export const websockifyMissing = "Install it with: apt-get install --no-install-recommends websockify";

/** Puts a peer of ours in the place of a running VM's VNC socket while `run` runs. */
export async function withVncPeer<T>(stack: Stack, vmId: number, kind: VncPeerKind, run: () => Promise<T>): Promise<T> {
  const { vnc } = machinePaths(stack.settings, vmId);
  await rename(vnc, `${vnc}.qemu`);
  const peer = await startVncPeer(vnc, kind);
  try {
    return await run();
  } finally {
    await peer.close();
    await rename(`${vnc}.qemu`, vnc);
  }
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect({ host: "127.0.0.1", port });
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

function end(child: ChildProcess): void {
  child.kill("SIGKILL");
}
