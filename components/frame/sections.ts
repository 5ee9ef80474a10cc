import { Activity, Camera, Cpu, Disc3, type LucideIcon, Network, Server, Settings } from "lucide-react";

export interface Section {
  href: string;
  label: string;
  icon: LucideIcon;
  /** Paths that belong to it besides its own. */
  owns?: string[];
}

/** The parts of the dashboard, in the rail's order. */
export const sections: readonly Section[] = [
  { href: "/", label: "VMs", icon: Server, owns: ["/vms"] },
  { href: "/images", label: "Images", icon: Disc3 },
  { href: "/snapshots", label: "Snapshots", icon: Camera },
  { href: "/networks", label: "Networks", icon: Network },
  { href: "/activity", label: "Activity", icon: Activity },
  { href: "/host", label: "Host", icon: Cpu },
  { href: "/settings", label: "Settings", icon: Settings },
];

/** The section that a path is in. */
export function sectionOf(pathname: string): Section | undefined {
  return sections.find((section) =>
    [section.href, ...(section.owns ?? [])].some(
      (path) => pathname === path || (path !== "/" && pathname.startsWith(`${path}/`)),
    ),
  );
}
