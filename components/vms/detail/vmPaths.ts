/** The id in an address; null for a text that is none. */
export function parseVmId(text: string): number | null {
  return /^[1-9]\d{0,14}$/.test(text) ? Number(text) : null;
}

/** The tabs of a VM's page. */
export function tabsOf(id: number): { href: string; label: string }[] {
  return [
    { href: `/vms/${id}`, label: "Overview" },
    { href: `/vms/${id}/console`, label: "Console" },
    { href: `/vms/${id}/serial`, label: "Serial" },
    { href: `/vms/${id}/networking`, label: "Networking" },
    { href: `/vms/${id}/snapshots`, label: "Snapshots" },
    { href: `/vms/${id}/backups`, label: "Backups" },
    { href: `/vms/${id}/activity`, label: "Activity" },
    { href: `/vms/${id}/settings`, label: "Settings" },
  ];
}

/** Whether a page is a console, which uses the whole width, and keys pressed on it belong to the guest. */
export function isConsolePath(pathname: string): boolean {
  return /\/(console|serial)$/.test(pathname);
}
