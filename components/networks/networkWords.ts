import type { Network, NetworkAddress } from "../../lib/domain/network";

/** The ways out of a network, in words. */
export const outsideWords: Record<Network["outside"], { label: string; meaning: string }> = {
  nat: {
    label: "By the host's address (NAT)",
    meaning: "VMs reach out. From out there, a VM is reached by a forwarded port only.",
  },
  routed: {
    label: "With their own addresses (routed)",
    meaning: "VMs reach out and are reached, where the routers out there know the way to this range.",
  },
  none: { label: "None", meaning: "VMs reach each other and the host reaches them; nothing else." },
};

export const addressWords: Record<NetworkAddress["kind"] | "free" | "none", string> = {
  vm: "Used by a VM",
  reserved: "Reserved",
  quarantined: "In quarantine",
  gateway: "Gateway",
  free: "Free",
  none: "Not for VMs",
};

/** Why a network can't be deleted; undefined when it can. */
export function whyNoDelete({ name, vmCount }: Network): string | undefined {
  if (name === "default") return "It stays: VMs that name no network are put into it.";
  if (vmCount > 0) return `${vmCount === 1 ? "A VM is" : `${vmCount} VMs are`} in it.`;
  return undefined;
}

/** Whom its VMs may connect to besides each other. */
export function reachesInWords({ reaches }: Network, networks: readonly Network[]): string {
  if (reaches.length === 0) return "no other network";
  return reaches.map((id) => networks.find((one) => one.id === id)?.name ?? `network ${id}`).join(", ");
}
