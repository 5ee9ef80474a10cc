import type { ReachabilityCheck } from "../../../../lib/domain/hostNetwork";
import type { Bandwidth, VmInterface } from "../../../../lib/domain/vmNetworking";
import type { Tone } from "../../../ui/tone";

/** What each check of "Why can't I reach it?" asks. */
export const checkWords: Record<ReachabilityCheck["name"], string> = {
  running: "Does it run?",
  interface: "Is its interface plugged in?",
  lease: "Did it take its address?",
  arp: "Does it answer for its address?",
  firewall: "Does its firewall let it through?",
  route: "Does a way lead there?",
  port: "Does the port answer?",
  ssh: "Does an SSH server speak?",
  forward: "Do its forwards lead there?",
};

export const outcomeWords: Record<ReachabilityCheck["outcome"], { word: string; tone: Tone }> = {
  ok: { word: "Yes", tone: "ok" },
  unknown: { word: "Can't tell", tone: "neutral" },
  failed: { word: "No", tone: "bad" },
};

/** What the host sees of an interface, and the colour that says how good that is. An interface that is plugged in is none that the guest has set up. */
export function interfaceState({
  status,
  isLeaving,
  whyNotPlugged,
}: Pick<VmInterface, "status" | "isLeaving" | "whyNotPlugged">): {
  word: string;
  tone: Tone;
} {
  if (whyNotPlugged !== null) return { word: "not plugged in here", tone: "neutral" };
  if (isLeaving) return { word: "being unplugged", tone: status?.isUp ? "ok" : "neutral" };
  if (status === null) return { word: "", tone: "neutral" };
  if (!status.isUp) return { word: "down", tone: "neutral" };
  if (status.isAddressSeen) return { word: "address seen", tone: "ok" };
  return { word: status.isAddressSeen === null ? "address not seen yet" : "address doesn't answer", tone: "warn" };
}

/** Whether what the host sees of an interface is to change by itself: it goes, comes up, or the guest takes its address. */
export function isSettling(link: Pick<VmInterface, "status" | "isLeaving" | "whyNotPlugged">): boolean {
  return link.isLeaving || (link.status !== null && link.whyNotPlugged === null && interfaceState(link).tone !== "ok");
}

/** "in 1 MB/s, out unlimited"; null where nothing is limited. Rates are decimal, as links' are. */
export function limitInWords({ ingressBytesPerSecond, egressBytesPerSecond }: Bandwidth): string | null {
  if (ingressBytesPerSecond === null && egressBytesPerSecond === null) return null;
  return `in ${rateInWords(ingressBytesPerSecond)}, out ${rateInWords(egressBytesPerSecond)}`;
}

function rateInWords(bytesPerSecond: number | null): string {
  if (bytesPerSecond === null) return "unlimited";
  const megabits = (bytesPerSecond * 8) / 1e6;
  return `${Number(megabits.toFixed(megabits < 10 ? 2 : 0))} Mbit/s`;
}

export function megabitsOf(bytesPerSecond: number | null): string {
  return bytesPerSecond === null ? "" : String(Number(((bytesPerSecond * 8) / 1e6).toFixed(3)));
}

/** Bytes a second from megabits as typed; null for none, undefined for what is no rate. */
export function bytesPerSecondOf(megabits: string): number | null | undefined {
  if (megabits.trim() === "") return null;
  const value = Number(megabits.trim().replace(",", "."));
  const bytes = Math.round((value * 1e6) / 8);
  return Number.isFinite(bytes) && bytes >= 1000 ? bytes : undefined;
}
