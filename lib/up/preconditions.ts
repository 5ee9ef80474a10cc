import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { platform } from "node:os";
import { delimiter, join } from "node:path";
import { type Arch, archOfNode } from "../domain/arch";
import { CumulusError, messageOf } from "../domain/errors";
import type { Settings } from "../env";
import type { ServiceAccount } from "../serviceAccount";

/** The guest architecture of this machine. `unavailable` on a machine that Cumulus has no guests for. */
export function requireArch(nodeArch: string = process.arch): Arch {
  const arch = archOfNode(nodeArch);
  if (arch) return arch;
  throw new CumulusError("unavailable", `Cumulus runs on x86_64 and aarch64 machines, and this one is ${nodeArch}.`);
}

export function isInstalled(command: string, path: string = process.env.PATH ?? ""): boolean {
  // Debian keeps some tools where only root's PATH looks.
  const folders = [...path.split(delimiter), "/usr/sbin", "/sbin"];
  return folders.some((folder) => existsSync(join(folder, command)));
}

/** `unavailable` with the way to install it when QEMU is missing. */
export function requireQemu(arch: Arch, path?: string): void {
  const missing = [`qemu-system-${arch}`, "qemu-img"].filter((command) => !isInstalled(command, path));
  if (missing.length === 0) return;
  const how = platform() === "darwin" ? "run `brew install qemu`" : "install QEMU with your system's package manager";
  throw new CumulusError("unavailable", `QEMU is missing (${missing.join(" and ")} not found): ${how}.`);
}

/** `conflict` in one sentence when the console can't listen where it should. */
export async function requireFreePort(
  { host, port }: Pick<Settings, "host" | "port">,
  account: ServiceAccount | undefined,
): Promise<void> {
  if (account && port < (await firstUnprivilegedPort())) {
    throw new CumulusError(
      "conflict",
      `Port ${port} is reserved for root, and the console runs without its rights: set PORT to 1024 or above.`,
    );
  }
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen({ host, port, exclusive: true }, resolve);
    });
  } catch (error) {
    throw new CumulusError("conflict", portSentence(error, host, port), { cause: error });
  }
  await new Promise((resolve) => server.close(resolve));
}

function portSentence(error: unknown, host: string, port: number): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "EADDRINUSE") {
    return `Port ${port} on ${host} is taken by another program: stop that, or set PORT to another one (PORT=${port + 1} npm run up).`;
  }
  if (code === "EACCES") return `Port ${port} is reserved for root: set PORT to 1024 or above.`;
  if (code === "EADDRNOTAVAIL" || code === "ENOTFOUND") {
    return `HOST=${host} is no address of this machine: set it to 127.0.0.1, to 0.0.0.0 for all networks, or to one of its addresses.`;
  }
  return `The console can't listen on ${host} port ${port}: ${messageOf(error)}.`;
}

async function firstUnprivilegedPort(): Promise<number> {
  return Number(await readFile("/proc/sys/net/ipv4/ip_unprivileged_port_start", "utf8"));
}
