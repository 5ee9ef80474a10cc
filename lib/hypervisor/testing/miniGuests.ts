import { randomUUID } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { type MachineSpec, sshHostPortOf } from "../../domain/machine";
import { MIB } from "../../domain/units";
import { pathsOf } from "../../env";
import { installBuiltImage } from "../../images/testing/builtImage";
import { freePort } from "../../system/testing/freePort";
import type { Hypervisor } from "../hypervisor";
import { type TestHost, untilSeen } from "./testHost";

const bootMs = 180_000;

/** Real guests of the built-in image on a test's host, reached by a real SSH client. */
export class MiniGuests {
  private constructor(
    private readonly host: TestHost,
    private readonly keys: string,
    private readonly publicKey: string,
    private readonly image: { sha256: string; loginUser: string },
  ) {}

  static async make(host: TestHost): Promise<MiniGuests> {
    const image = await installBuiltImage(pathsOf(host.settings), { name: "mini", arch: "x86_64" });
    const keys = await mkdtemp(join(tmpdir(), "cumulus-keys-"));
    await execa("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(keys, "id")]);
    const publicKey = (await readFile(join(keys, "id.pub"), "utf8")).trim();
    return new MiniGuests(host, keys, publicKey, image);
  }

  async spec(id: number, changes: Partial<MachineSpec> = {}, snapshotId?: number): Promise<MachineSpec> {
    const uuid = randomUUID();
    const spec = await this.host.spec(id, {
      uuid,
      memoryBytes: 192 * MIB,
      disk: { imageSha256: this.image.sha256, sizeBytes: 1024 * MIB, ...(snapshotId && { snapshotId }) },
      ...changes,
    });
    const [link] = spec.interfaces;
    if (link?.driver !== "user") throw new Error("A test's guest has user-mode networking.");
    const { mac, ipv4, gateway, dns } = link;
    const ethernet = {
      match: { macaddress: mac },
      "set-name": "eth0",
      addresses: [`${ipv4}/24`],
      routes: [{ to: "0.0.0.0/0", via: gateway }],
      nameservers: { addresses: [dns] },
    };
    const seed: MachineSpec["seed"] = {
      metaData: { "instance-id": uuid, "local-hostname": `vm-${id}` },
      userData: { cloudConfig: { ssh_authorized_keys: [this.publicKey], disable_root: false } },
      networkConfig: { version: 2, ethernets: { eth0: ethernet } },
    };
    const interfaces = [{ ...link, sshHostPort: await freePort() }];
    return { ...spec, interfaces, seed };
  }

  /** Makes and starts a guest, and waits until its SSH and its agent answer. */
  async start(agent: Hypervisor, spec: MachineSpec): Promise<void> {
    await agent.ensure(spec);
    await agent.start(spec.id);
    await untilSeen(agent, spec.id, ({ milestones }) => milestones.ssh !== undefined, bootMs);
  }

  /** Runs a command in the guest. */
  async run(spec: MachineSpec, command: string): Promise<string> {
    const options = ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR", "ConnectTimeout=20"];
    const args = [
      "-i",
      join(this.keys, "id"),
      "-p",
      String(sshHostPortOf(spec)),
      ...options.flatMap((one) => ["-o", one]),
    ];
    const { stdout } = await execa("ssh", [...args, `${this.image.loginUser}@127.0.0.1`, command], {
      stdin: "ignore",
      timeout: 90_000,
    });
    return stdout;
  }

  async close(): Promise<void> {
    await rm(this.keys, { recursive: true, force: true });
  }
}
