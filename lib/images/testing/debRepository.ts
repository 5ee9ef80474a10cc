import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";

export interface DebRepository {
  /** The line of sources.list for a guest that reaches this computer's loopback under `address`, as QEMU's user-mode network lets it. */
  sourceLine(address: string): string;
  close(): Promise<void>;
}

/** A repository of Debian packages that hold one file each, `/usr/share/<name>/hello`: packages can be installed without a way out. */
export async function serveDebs(names: string[]): Promise<DebRepository> {
  const folder = await mkdtemp(join(tmpdir(), "debs-"));
  const files = new Map<string, Buffer>();
  const stanzas: string[] = [];
  for (const name of names) {
    const tree = join(folder, name);
    const control = `Package: ${name}\nVersion: 1.0\nArchitecture: all\nMaintainer: Nobody <nobody@example.org>\nDescription: greets\n`;
    await mkdir(join(tree, "DEBIAN"), { recursive: true });
    await mkdir(join(tree, "usr", "share", name), { recursive: true });
    await writeFile(join(tree, "DEBIAN", "control"), control);
    await writeFile(join(tree, "usr", "share", name, "hello"), `hello from ${name}\n`);
    await execa("dpkg-deb", ["--root-owner-group", "--build", tree, `${tree}.deb`]);
    const deb = await readFile(`${tree}.deb`);
    const sha256 = createHash("sha256").update(deb).digest("hex");
    files.set(`/${name}.deb`, deb);
    stanzas.push(`${control}Filename: ./${name}.deb\nSize: ${deb.length}\nSHA256: ${sha256}\n`);
  }
  files.set("/Packages", Buffer.from(stanzas.join("\n")));
  await rm(folder, { recursive: true });

  const server = createServer((request, response) => {
    const file = files.get((request.url ?? "").replace("/./", "/"));
    if (file) response.end(file);
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    sourceLine: (address) => `deb [trusted=yes] http://${address}:${port} ./\n`,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
