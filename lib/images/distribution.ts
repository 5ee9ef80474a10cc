import { readFile } from "node:fs/promises";

/** This host's distribution (os-release(5)): "debian", "Debian GNU/Linux 12". */
export async function readDistribution(): Promise<{ id: string; title: string }> {
  const text = await readFile("/etc/os-release", "utf8");
  const field = (name: string) => new RegExp(`^${name}="?([^"\\n]*)"?$`, "m").exec(text)?.[1] ?? "";
  return { id: field("ID"), title: `${field("NAME")} ${field("VERSION_ID")}`.trim() };
}
