import * as z from "zod";
import type { PortForward } from "../../domain/hostNetwork";
import { loopback } from "../network/hostPorts";

/** A forward of a user-mode network: a port of the loopback, and the guest's. */
export type Forward = Pick<PortForward, "protocol" | "hostPort" | "port">;

/** Asks QEMU's monitor for people (HMP), which alone knows of forwards; it answers with text. */
export type AskMonitor = (command: string) => Promise<string>;

export const monitorAnswerSchema = z.string();

/** The forwards that a QEMU has, the one to its SSH among them. */
export async function readForwards(ask: AskMonitor): Promise<Forward[]> {
  return parseForwards(await ask("info usernet"));
}

/** @returns why it couldn't be had, in QEMU's words; null when it is there */
export async function addForward(
  ask: AskMonitor,
  netdev: string,
  ipv4: string,
  { protocol, hostPort, port }: Forward,
): Promise<string | null> {
  const answer = await ask(`hostfwd_add ${netdev} ${protocol}:${loopback}:${hostPort}-${ipv4}:${port}`);
  return answer.trim() || null;
}

export async function removeForward(ask: AskMonitor, netdev: string, { protocol, hostPort }: Forward): Promise<void> {
  await ask(`hostfwd_remove ${netdev} ${protocol}:${loopback}:${hostPort}`);
}

/** Lines of `info usernet` such as `TCP[HOST_FORWARD]  12  127.0.0.1 28080  192.168.0.2  80  0  0`; connections have other states. Pure. */
export function parseForwards(text: string): Forward[] {
  return [...text.matchAll(/^\s*(TCP|UDP)\[HOST_FORWARD\]\s+\d+\s+(\S+)\s+(\d+)\s+\S+\s+(\d+)\s/gm)].flatMap(
    ([, protocol, address, hostPort, port]) =>
      address === loopback
        ? [{ protocol: protocol === "TCP" ? "tcp" : "udp", hostPort: Number(hostPort), port: Number(port) }]
        : [],
  );
}

export function forwardKey({ protocol, hostPort, port }: Forward): string {
  return `${protocol} ${hostPort} ${port}`;
}
