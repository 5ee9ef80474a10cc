import { copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { execa, type ResultPromise } from "execa";
import type { UefiFirmware } from "../../hypervisor/qemu/firmware";
import { freePort } from "../../system/testing/freePort";

/** The documents of a NoCloud seed, as they lie on the disk; objects are written as JSON. */
export interface Seed {
  metaData: Record<string, unknown>;
  userData: Record<string, unknown> | string;
  networkConfig?: Record<string, unknown>;
}

export interface GuestOptions {
  /** A folder for the guest alone. Its disk, if there is one, is used again. */
  dir: string;
  image: string;
  /** An SSH private key file. */
  identity: string;
  seed: Seed | null;
  diskSize?: string;
  memoryMiB?: number;
  /** The guest's address that the SSH forward leads to. */
  address?: string;
  /** One card per address, all in QEMU's user-mode networks; the first one has the SSH forward. */
  macs?: string[];
  /** By UEFI instead of a BIOS. */
  uefi?: UefiFirmware;
}

/** A machine under QEMU's emulation, for tests of what its inside does. */
export class Guest {
  private constructor(
    private readonly options: GuestOptions,
    readonly sshPort: number,
    private readonly qemu: ResultPromise,
  ) {}

  static async start(options: GuestOptions): Promise<Guest> {
    const {
      dir,
      image,
      seed,
      diskSize = "2G",
      memoryMiB = 256,
      address = "10.0.2.15",
      macs = ["52:54:00:00:00:01"],
      uefi,
    } = options;
    await mkdir(dir, { recursive: true, mode: 0o700 });
    const disk = join(dir, "disk.qcow2");
    await execa("qemu-img", ["info", "-f", "qcow2", disk]).catch(() =>
      execa("qemu-img", ["create", "-q", "-f", "qcow2", "-b", image, "-F", "qcow2", disk, diskSize]),
    );
    for (const name of ["serial.log", "qmp", "agent", "serial"]) await rm(join(dir, name), { force: true });
    const sshPort = await freePort();
    const args = [
      ...["-nodefaults", "-no-user-config", "-M", "q35", "-accel", "tcg", "-cpu", "max", "-m", String(memoryMiB)],
      ...["-display", "none", "-device", "VGA", "-qmp", `unix:${dir}/qmp,server=on,wait=off`],
      ...["-chardev", `socket,id=serial,path=${dir}/serial,server=on,wait=off,logfile=${dir}/serial.log`],
      ...["-serial", "chardev:serial", "-device", "virtio-rng-pci", "-device", "virtio-serial-pci"],
      ...["-chardev", `socket,id=agent,path=${dir}/agent,server=on,wait=off`],
      ...["-device", "virtserialport,chardev=agent,name=org.qemu.guest_agent.0"],
      ...["-drive", `if=none,id=disk,format=qcow2,file=${disk}`, "-device", "virtio-blk-pci,drive=disk"],
      ...macs.flatMap((mac, index) => [
        "-netdev",
        `user,id=net${index}${index === 0 ? `,hostfwd=tcp:127.0.0.1:${sshPort}-${address}:22` : ""}`,
        ...["-device", `virtio-net-pci,netdev=net${index},mac=${mac}`],
      ]),
    ];
    if (uefi) {
      const variables = join(dir, "uefi-vars.fd");
      await copyFile(uefi.varsTemplate, variables);
      for (const [file, access] of [
        [uefi.code, "on"],
        [variables, "off"],
      ]) {
        args.push("-drive", `if=pflash,format=raw,readonly=${access},file=${file}`);
      }
    }
    if (seed) {
      const iso = await writeSeed(dir, seed);
      args.push("-drive", `if=none,id=seed,format=raw,readonly=on,file=${iso}`, "-device", "virtio-blk-pci,drive=seed");
    }
    const qemu = execa("qemu-system-x86_64", args, { reject: false, cleanup: true, stdin: "ignore" });
    return new Guest(options, sshPort, qemu);
  }

  /** What the serial console has said so far. */
  async serial(): Promise<string> {
    const text = await readFile(join(this.options.dir, "serial.log"), "utf8").catch(() => "");
    return text.replaceAll("\r", "");
  }

  async waitForSerial(pattern: RegExp, timeoutMs = 150_000): Promise<RegExpExecArray> {
    return await waitFor(
      async () => pattern.exec(await this.serial()),
      timeoutMs,
      async () => `The serial console never said ${pattern}:\n${await this.serial()}`,
    );
  }

  /** Types on the serial console. */
  async type(text: string): Promise<void> {
    const socket = await connectTo(join(this.options.dir, "serial"));
    await new Promise<void>((resolve) => socket.end(text, resolve));
  }

  /** Runs a shell command as `user` over SSH, logging in by the key, or by `password` alone. */
  async ssh(user: string, command: string, password?: string): Promise<string> {
    const { dir, identity } = this.options;
    const login = password === undefined ? ["-i", identity, "-o", "BatchMode=yes"] : ["-o", "PubkeyAuthentication=no"];
    const askpass = join(dir, "askpass");
    await writeFile(askpass, '#!/bin/sh\nprintf "%s\\n" "$TEST_PASSWORD"\n', { mode: 0o700 });
    const { stdout } = await execa(
      "ssh",
      [...this.sshOptions(), ...["-o", "NumberOfPasswordPrompts=1", ...login], ...[`${user}@127.0.0.1`, command]],
      {
        env: { SSH_ASKPASS: askpass, SSH_ASKPASS_REQUIRE: "force", TEST_PASSWORD: password ?? "", SSH_AUTH_SOCK: "" },
        stdin: "ignore",
        timeout: 120_000,
      },
    );
    return stdout.trim();
  }

  /** What somebody sees who logs in by the key and leaves at once. */
  async login(user: string): Promise<string> {
    const { stdout } = await execa(
      "ssh",
      ["-tt", ...this.sshOptions(), "-i", this.options.identity, `${user}@127.0.0.1`],
      {
        env: { SSH_AUTH_SOCK: "", TERM: "dumb" },
        input: "exit\n",
        timeout: 120_000,
      },
    );
    return stdout;
  }

  private sshOptions(): string[] {
    return [
      ...["-F", "none", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR"],
      ...["-o", "ConnectTimeout=60", "-o", "IdentitiesOnly=yes", "-p", String(this.sshPort)],
    ];
  }

  /** The host key that SSH shows, "ssh-ed25519 AAAA…". */
  async hostKey(): Promise<string> {
    const { stdout } = await execa("ssh-keyscan", [
      "-T",
      "30",
      "-t",
      "ed25519",
      "-p",
      String(this.sshPort),
      "127.0.0.1",
    ]);
    return stdout.split(" ").slice(1).join(" ");
  }

  /** One command to QEMU (QMP). */
  async qmp(command: string): Promise<void> {
    const socket = await connectTo(join(this.options.dir, "qmp"));
    socket.write(`${JSON.stringify({ execute: "qmp_capabilities" })}\n${JSON.stringify({ execute: command })}\n`);
    await answers(socket, (answer) => answer.return !== undefined, 2);
    socket.destroy();
  }

  /** Whether QEMU's guest agent answers. */
  async pingAgent(): Promise<void> {
    const socket = await connectTo(join(this.options.dir, "agent"));
    const id = 4711;
    socket.write(`${JSON.stringify({ execute: "guest-sync", arguments: { id } })}\n`);
    await answers(socket, (answer) => answer.return === id, 1);
    socket.destroy();
  }

  /** Waits until QEMU has ended by itself. */
  async exited(timeoutMs = 30_000): Promise<void> {
    const deadline = AbortSignal.timeout(timeoutMs);
    const late = new Promise<never>((_, reject) => {
      deadline.onabort = () => reject(new Error(`QEMU still ran after ${timeoutMs} ms.`));
    });
    await Promise.race([this.qemu, late]);
  }

  /** Cuts the power. */
  async kill(): Promise<void> {
    this.qemu.kill("SIGKILL");
    await this.qemu;
  }
}

async function writeSeed(dir: string, seed: Seed): Promise<string> {
  const files = join(dir, "seed");
  await rm(files, { recursive: true, force: true });
  await mkdir(files);
  const { userData } = seed;
  await writeFile(join(files, "meta-data"), JSON.stringify(seed.metaData));
  const text = typeof userData === "string" ? userData : `#cloud-config\n${JSON.stringify(userData)}\n`;
  await writeFile(join(files, "user-data"), text);
  if (seed.networkConfig) await writeFile(join(files, "network-config"), JSON.stringify(seed.networkConfig));
  const iso = join(dir, "seed.iso");
  await execa("xorriso", ["-as", "mkisofs", "-quiet", "-o", iso, "-V", "cidata", "-J", "-R", files]);
  return iso;
}

/** Connects to a unix socket, which may not be there yet. */
async function connectTo(path: string): Promise<Socket> {
  return await waitFor(
    () =>
      new Promise<Socket | null>((resolve) => {
        const socket = connect(path, () => resolve(socket)).once("error", () => resolve(null));
      }),
    10_000,
    async () => `Nobody answers at ${path}.`,
  );
}

/** Reads JSON lines until `count` of them fit. */
async function answers(
  socket: Socket,
  fits: (answer: Record<string, unknown>) => boolean,
  count: number,
): Promise<void> {
  socket.setTimeout(30_000, () => socket.destroy(new Error("No answer within 30 s.")));
  let text = "";
  for await (const chunk of socket) {
    text += String(chunk);
    const lines = text.split("\n").slice(0, -1);
    if (lines.filter((line) => fits(JSON.parse(line))).length >= count) return;
  }
  throw new Error(`The connection ended after: ${text}`);
}

async function waitFor<T>(
  probe: () => Promise<T | null>,
  timeoutMs: number,
  complaint: () => Promise<string>,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  while (Date.now() < deadline) {
    const found = await probe();
    if (found !== null) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(await complaint());
}
