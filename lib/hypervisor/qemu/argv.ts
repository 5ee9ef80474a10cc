import type { Accelerator } from "../../domain/host";
import type { MachineSpec, NetworkInterface } from "../../domain/machine";
import { MIB } from "../../domain/units";
import type { MachinePaths } from "../machinePaths";

export interface ArgvInput {
  spec: MachineSpec;
  accelerator: Pick<Accelerator, "kind" | "cpuModel">;
  paths: MachinePaths;
  imagePath: string;
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
  const { spec, accelerator, paths, uefiCode } = input;
  return [
    ["-nodefaults", "-no-user-config", "-S"],
    ["-name", `cumulus-${spec.id}`, "-uuid", spec.uuid],
    ["-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"],
    ["-action", "reboot=reset,shutdown=pause"],
    ["-machine", machineType(spec, accelerator.kind, uefiCode !== null)],
    ["-cpu", accelerator.cpuModel],
    ["-smp", `cpus=${spec.vcpus},sockets=1,cores=${spec.vcpus},threads=1`],
    ["-m", `size=${Math.floor(spec.memoryBytes / MIB)}M`],
    ["-rtc", spec.arch === "x86_64" ? "base=utc,driftfix=slew" : "base=utc"],
    ["-display", "none", "-vnc", `vnc=unix:${escapeCommas(paths.vnc)},share=force-shared`],
    ...monitor("qmp", paths.qmp),
    ...monitor("rescue", paths.rescue),
    ...disks(input),
    ...spec.interfaces.flatMap(userNetwork),
    ...guestDevices(spec, paths),
  ].flat();
}

function machineType(spec: MachineSpec, accel: string, isUefi: boolean): string {
  const type = spec.arch === "x86_64" ? "q35,vmport=off" : "virt,gic-version=max";
  const flash = isUefi ? ",pflash0=uefi-code,pflash1=uefi-vars" : "";
  return `${type},accel=${accel}${flash}`;
}

function disks({ paths, imagePath, uefiCode }: ArgvInput): string[][] {
  const disk = {
    driver: "qcow2",
    "node-name": "disk0",
    discard: "unmap",
    file: { driver: "file", filename: paths.disk },
    // Named here so that the backing file in the disk's own header, which a guest that broke out could rewrite, is not believed.
    backing: {
      driver: "qcow2",
      "node-name": "image0",
      "read-only": true,
      backing: null,
      file: { driver: "file", filename: imagePath, "read-only": true },
    },
  };
  const seed = {
    driver: "raw",
    "node-name": "seed0",
    "read-only": true,
    file: { driver: "file", filename: paths.seed, "read-only": true },
  };
  const uefi =
    uefiCode === null ? [] : [pflash("uefi-code", uefiCode, true), pflash("uefi-vars", paths.uefiVars, false)];
  return [
    ...uefi,
    json("-blockdev", disk),
    // A full disk of the host's pauses the guest instead of giving it errors.
    json("-device", { driver: "virtio-blk-pci", id: "vd0", drive: "disk0", bootindex: 0, werror: "enospc" }),
    json("-blockdev", seed),
    // The seed is found by its label; as a virtio disk every guest that boots from disk0 has the driver for it.
    json("-device", { driver: "virtio-blk-pci", id: "vd1", drive: "seed0" }),
  ];
}

function pflash(nodeName: string, filename: string, isReadOnly: boolean): string[] {
  const file = { driver: "file", filename, "read-only": isReadOnly };
  return json("-blockdev", { driver: "raw", "node-name": nodeName, "read-only": isReadOnly, file });
}

/** User-mode networking: nothing but the forward to SSH listens on the host, and that on its loopback. */
function userNetwork(link: NetworkInterface): string[][] {
  const netdev = {
    type: "user",
    id: `${link.id}-host`,
    ipv6: false,
    net: link.cidr,
    host: link.gateway,
    dns: link.dns,
    // Its DHCP server gives the first client the first address: the VM's own.
    dhcpstart: link.ipv4,
    hostfwd: [{ str: `tcp:127.0.0.1:${link.sshHostPort}-${link.ipv4}:22` }],
  };
  // romfile: the boot ROM for network boot costs time and is not used.
  const device = { driver: "virtio-net-pci", id: link.id, netdev: netdev.id, mac: link.mac, romfile: "" };
  return [json("-netdev", netdev), json("-device", device)];
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
