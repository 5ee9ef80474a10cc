import { isDeepStrictEqual } from "node:util";
import { messageOf } from "../domain/errors";
import type { BrokenForward } from "../domain/hostNetwork";
import type { NetworkInterface } from "../domain/machine";
import type { Log } from "../system/log";
import { loopback, whyPortTaken } from "./network/hostPorts";
import {
  type AskMonitor,
  addForward,
  type Forward,
  forwardKey,
  monitorAnswerSchema,
  readForwards,
  removeForward,
} from "./qemu/hostForwards";
import { netdevId } from "./qemu/interfaces";
import type { RunningQemu } from "./runningQemu";

/** How soon a forward that couldn't be had is tried again. */
const retryMs = 5_000;
/** A QEMU that hangs must not hold up the networks of others. */
const monitorMs = 3_000;

interface Parts {
  vmId: number;
  log: Log;
  /** Null: those that QEMU has stay. */
  wanted(): readonly Forward[] | null;
  link(): NetworkInterface | undefined;
  /** The port that leads to its SSH, which it was started with; null for one that was started on a bridge. */
  sshHostPort(): number | null;
}

/**
 * Keeps the forwards of a VM with a user-mode network as they are wanted, for as long as its QEMU runs. What it has is asked of QEMU, so that a change that was
 * broken off is carried on; what can't be had now is tried again.
 */
export class ForwardKeeper {
  /** Those that are wanted and not there, or there and not wanted any more, each with the reason. */
  broken: BrokenForward[] = [];
  private work: Promise<void> = Promise.resolve();
  private timer: NodeJS.Timeout | undefined;
  /** Those that this QEMU had when it answered last. */
  private present: readonly Forward[] = [];
  /** Whether it has them still: it is asked once, and nobody else changes them. */
  private isKnown = false;

  constructor(private readonly parts: Parts) {}

  /** Brings a QEMU that answers to the forwards that are wanted now. Never rejects: `broken` tells what can't be had. */
  settle(qemu: RunningQemu): Promise<void> {
    this.work = this.work.then(() => this.settleNow(qemu));
    return this.work;
  }

  /** QEMU is gone, and its forwards with it. */
  letGo(): void {
    clearTimeout(this.timer);
    this.broken = [];
    this.present = [];
    this.isKnown = false;
  }

  private async settleNow(qemu: RunningQemu): Promise<void> {
    const { link, wanted, sshHostPort } = this.parts;
    const [first, forwards, sshPort] = [link(), wanted(), sshHostPort()];
    if (first === undefined || forwards === null || sshPort === null || qemu.hasEnded) return;
    if (this.isKnown && isDeepStrictEqual(this.present, forwards)) return;
    clearTimeout(this.timer);
    this.isKnown = false;
    try {
      const broken = await this.bringAbout(monitorOf(qemu), first, forwards, sshPort);
      if (qemu.hasEnded) return;
      this.note(broken);
      this.present = without(forwards, broken);
      this.isKnown = true;
    } catch (error) {
      if (qemu.hasEnded) return;
      this.note(this.brokenAtAll(forwards, messageOf(error)));
    }
    if (this.isKnown && this.broken.length === 0) return;
    this.timer = setTimeout(() => void this.settle(qemu), retryMs);
    this.timer.unref();
  }

  private async bringAbout(
    ask: AskMonitor,
    link: NetworkInterface,
    wanted: readonly Forward[],
    sshPort: number,
  ): Promise<BrokenForward[]> {
    const present = (await readForwards(ask)).filter(
      ({ protocol, hostPort }) => protocol !== "tcp" || hostPort !== sshPort,
    );
    const isIn = (forwards: readonly Forward[]) => {
      const keys = new Set(forwards.map(forwardKey));
      return (forward: Forward) => keys.has(forwardKey(forward));
    };
    const [isWanted, isThere] = [isIn(wanted), isIn(present)];
    const netdev = netdevId(link);
    for (const forward of present) if (!isWanted(forward)) await removeForward(ask, netdev, forward);
    const broken: BrokenForward[] = [];
    for (const forward of wanted) {
      if (isThere(forward)) continue;
      const { protocol, hostPort } = forward;
      // Asked before: of two programs that share a UDP port, the last one would take it from the other.
      const taken = await whyPortTaken(protocol, hostPort);
      const refused = taken ?? (await addForward(ask, netdev, link.ipv4, forward));
      if (refused === null) continue;
      const reason = `Port ${hostPort} (${protocol}) of ${loopback} can't be had: ${refused}. It is tried again every few seconds; end that program, or remove the forward.`;
      broken.push(this.brokenBy(forward, reason));
    }
    return broken;
  }

  /** Of a QEMU that doesn't answer, in which forwards of before stay. */
  private brokenAtAll(wanted: readonly Forward[], why: string): BrokenForward[] {
    const left = without(this.present, wanted).map((forward) => {
      const { protocol, hostPort, port } = forward;
      const reason = `Port ${hostPort} (${protocol}) of ${loopback} still leads to the VM's port ${port}: its QEMU doesn't let go of it. ${why} It is tried again every few seconds.`;
      return this.brokenBy(forward, reason);
    });
    return [...wanted.map((forward) => this.brokenBy(forward, `The VM's QEMU doesn't take it: ${why}`)), ...left];
  }

  private brokenBy({ protocol, hostPort }: Forward, reason: string): BrokenForward {
    return { vmId: this.parts.vmId, protocol, hostPort, reason };
  }

  private note(broken: BrokenForward[]): void {
    if (isDeepStrictEqual(broken, this.broken)) return;
    this.broken = broken;
    if (broken.length > 0) this.parts.log.warn({ vm: this.parts.vmId, broken }, "ports could not be forwarded");
  }
}

/** A port of the loopback leads to one of the VM's at most. Pure. */
function without(
  forwards: readonly Forward[],
  others: readonly Pick<Forward, "protocol" | "hostPort">[],
): readonly Forward[] {
  const isIn = ({ protocol, hostPort }: Forward) =>
    others.some((other) => other.protocol === protocol && other.hostPort === hostPort);
  return forwards.filter((forward) => !isIn(forward));
}

function monitorOf(qemu: RunningQemu): AskMonitor {
  return async (command) =>
    monitorAnswerSchema.parse(await qemu.execute("human-monitor-command", { "command-line": command }, monitorMs));
}
