import type { AcceleratorKind, HostReport } from "../../lib/domain/host";
import type { Tone } from "../ui/tone";

export const acceleratorWords: Record<AcceleratorKind, { title: string; meaning: string; tone: Tone }> = {
  kvm: { title: "KVM", meaning: "Guests run on the processor itself, at nearly full speed.", tone: "ok" },
  hvf: {
    title: "Hypervisor.framework",
    meaning: "Guests run on the processor itself, at nearly full speed.",
    tone: "ok",
  },
  tcg: {
    title: "Software emulation (TCG)",
    meaning: "Works on any machine. Guests run many times slower than the processor could.",
    tone: "warn",
  },
};

export const networkWords: Record<HostReport["network"]["driver"], { title: string; meaning: string }> = {
  bridge: {
    title: "Bridge",
    meaning: "VMs have addresses of their own, which this machine reaches directly, and find each other by name.",
  },
  user: {
    title: "User mode",
    meaning: "Needs no privilege. VMs reach out; each is reached by ssh on a port of this machine's loopback.",
  },
};

/** Which guests a host can run, and what they can boot with: "x86_64 (BIOS, UEFI), aarch64 (UEFI)". */
export function guestWords({ arch, guestArchs, uefiArchs = [] }: HostReport): string {
  if (guestArchs.length === 0) return "none: QEMU is not installed";
  return guestArchs
    .map((guest) => {
      const firmwares = [...(guest === "x86_64" ? ["BIOS"] : []), ...(uefiArchs.includes(guest) ? ["UEFI"] : [])];
      const emulated = guest === arch ? "" : ", emulated";
      return `${guest} (${firmwares.join(", ") || "no firmware"}${emulated})`;
    })
    .join(", ");
}
