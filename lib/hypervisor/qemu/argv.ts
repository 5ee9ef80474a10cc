import type { Accelerator } from "../../domain/host";
import type { MachineSpec } from "../../domain/machine";
import { MIB } from "../../domain/units";
import { type BackingFile, type DiskFiles, fileNode, fileNodeOf } from "../diskFiles";
import type { MachinePaths } from "../machinePaths";
import { bootIndexes, cdromDevices, isoNode } from "./cdrom";
import { hotPlugPorts, interfaceParts } from "./interfaces";

export interface ArgvInput {
  spec: MachineSpec;
  /** With its version: by its alias it is another machine in another QEMU. */
  machineType: string;
  accelerator: Pick<Accelerator, "kind" | "cpuModel">;
  paths: MachinePaths;
  files: DiskFiles;
  /** A socket on which QEMU waits for a guest's memory; null: the guest boots. */
  incoming: string | null;
  /** The ISO that the CD-ROM drive starts with; null: it is empty. */
  isoPath: string | null;
  /** Read-only UEFI code; null for BIOS. */
  uefiCode: string | null;
}

/**
 * QEMU's arguments for a VM. Pure. What QEMU 7.2 takes as JSON is JSON (-blockdev, -device, -netdev, -object); the rest takes
 * paths of ours only, with commas doubled as QEMU's option syntax wants. No name of a user's and no secret is in here.
 *
 * The guest doesn't run yet when QEMU is up (-S): the agent first closes the folder with the sockets and takes the serial port.
 * A guest that powers off leaves QEMU waiting (-action shutdown=pause), so that an agent that was away can tell that from a crash.
 */
export function qemuArgv(input: ArgvInput): string[] {
  const { spec, paths } = input;
  return [
    ["-nodefaults", "-no-user-config", "-S"],
    ["-name", `cumulus-${spec.id}`, "-uuid", spec.uuid],
    ["-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"],
    ["-action", "reboot=reset,shutdown=pause"],
    ["-machine", machine(input)],
    ["-cpu", input.accelerator.cpuModel],
    ["-smp", `cpus=${spec.vcpus},sockets=1,cores=${spec.vcpus},threads=1`],
    ["-m", `size=${Math.floor(spec.memoryBytes / MIB)}M`],
    ["-rtc", spec.arch === "x86_64" ? "base=utc,driftfix=slew" : "base=utc"],
    ["-display", "none", "-vnc", `vnc=unix:${escapeCommas(paths.vnc)},share=force-shared`],
    ...monitor("qmp", paths.qmp),
    ...monitor("rescue", paths.rescue),
    ...disks(input),
    ...cdromDrive(input),
    ...interfaces(spec),
    ...guestDevices(spec, paths),
    input.incoming === null ? [] : ["-incoming", `unix:${escapeCommas(input.incoming)}`],
  ].flat();
}

function machine({ spec, machineType, accelerator, uefiCode }: ArgvInput): string {
  const own = spec.arch === "x86_64" ? "vmport=off" : "gic-version=max";
  const flash = uefiCode === null ? "" : ",pflash0=uefi-code,pflash1=uefi-vars";
  return `${machineType},${own},accel=${accelerator.kind}${flash}`;
}

function disks({ spec, paths, files, uefiCode }: ArgvInput): string[][] {
  const disk = {
    driver: "qcow2",
    "node-name": "disk0",
    discard: "unmap",
    file: fileNode(files.disk, { "node-name": fileNodeOf("disk0") }),
    // Named here so that the backing file in the disk's own header, which a guest that broke out could rewrite, is not believed.
    backing: chainOf(files.backing),
  };
  const seed = {
    driver: "raw",
    "node-name": "seed0",
    "read-only": true,
    file: fileNode(paths.seed, { "read-only": true }),
  };
  const uefi =
    uefiCode === null ? [] : [pflash("uefi-code", uefiCode, true), pflash("uefi-vars", files.uefiVars, false)];
  return [
    ...uefi,
    json("-blockdev", disk),
    // A full disk of the host's pauses the guest instead of giving it errors.
    json("-device", {
      driver: "virtio-blk-pci",
      id: "vd0",
      drive: "disk0",
      bootindex: bootIndexes(spec.bootFrom).disk,
      werror: "enospc",
    }),
    json("-blockdev", seed),
    // The seed is found by its label; as a virtio disk every guest that boots from disk0 has the driver for it.
    json("-device", { driver: "virtio-blk-pci", id: "vd1", drive: "seed0" }),
  ];
}

/** The nodes of what a disk builds on, one inside the other; null for none. */
export function chainOf([top, ...below]: readonly BackingFile[]): object | null {
  if (top === undefined) return null;
  return {
    driver: "qcow2",
    "node-name": top.nodeName,
    "read-only": true,
    backing: chainOf(below),
    file: fileNode(top.path, { "node-name": fileNodeOf(top.nodeName), "read-only": true }),
  };
}

function cdromDrive({ spec, isoPath }: ArgvInput): string[][] {
  const devices = cdromDevices(spec).map((device) => json("-device", device));
  if (spec.cdrom === null || isoPath === null) return devices;
  return [json("-blockdev", isoNode(spec.cdrom.sha256, isoPath)), ...devices];
}

/** The node of a flash chip, for a machine's `pflash0` (the firmware's code) or `pflash1` (its variables). */
export function pflash(nodeName: string, filename: string, isReadOnly: boolean): string[] {
  const file = fileNode(filename, { "read-only": isReadOnly });
  return json("-blockdev", { driver: "raw", "node-name": nodeName, "read-only": isReadOnly, file });
}

function interfaces(spec: MachineSpec): string[][] {
  const parts = spec.interfaces.map((link) => interfaceParts(spec.id, link));
  return [
    ...hotPlugPorts(spec).map((port) => json("-device", port)),
    ...parts.flatMap(({ netdev, device }) => [json("-netdev", netdev), json("-device", device)]),
  ];
}

function guestDevices(spec: MachineSpec, paths: MachinePaths): string[][] {
  const isX86 = spec.arch === "x86_64";
  return [
    json("-device", isX86 ? { driver: "VGA", id: "vga0" } : { driver: "virtio-gpu-pci", id: "vga0" }),
    json("-device", { driver: "qemu-xhci", id: "usb0" }),
    // A tablet has absolute positions: the pointer in the browser and the guest's are one. PCs have a PS/2 keyboard built in.
    json("-device", { driver: "usb-tablet", id: "tablet0", bus: "usb0.0" }),
    ...(isX86 ? [] : [json("-device", { driver: "usb-kbd", id: "keyboard0", bus: "usb0.0" })]),
    json("-object", { "qom-type": "rng-builtin", id: "rng0" }),
    json("-device", { driver: "virtio-rng-pci", id: "vrng0", rng: "rng0" }),
    // Memory that the guest has freed goes back to the host.
    json("-device", {
      driver: "virtio-balloon-pci",
      id: "balloon0",
      "free-page-reporting": true,
      "deflate-on-oom": true,
    }),
    socketChardev("serial0", paths.serialQemu),
    ["-serial", "chardev:serial0"],
    json("-device", { driver: "virtio-serial-pci", id: "vserial0" }),
    socketChardev("agent0", paths.guestAgent),
    json("-device", {
      driver: "virtserialport",
      bus: "vserial0.0",
      chardev: "agent0",
      name: "org.qemu.guest_agent.0",
    }),
  ];
}

function monitor(id: string, path: string): string[][] {
  return [socketChardev(id, path), ["-mon", `chardev=${id},mode=control`]];
}

function socketChardev(id: string, path: string): string[] {
  return ["-chardev", `socket,id=${id},path=${escapeCommas(path)},server=on,wait=off`];
}

function json(option: string, value: object): string[] {
  return [option, JSON.stringify(value)];
}

/** QEMU's key=value options end at a comma; two stand for one (qemu(1), "-drive … file=my,,file"). */
export function escapeCommas(path: string): string {
  return path.replaceAll(",", ",,");
}
