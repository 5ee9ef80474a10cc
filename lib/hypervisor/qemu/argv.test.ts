import { dirname } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { MachineSpec } from "../../domain/machine";
import { machinePaths } from "../machinePaths";
import { type ArgvInput, qemuArgv } from "./argv";
import { cdromId, isoNodeName } from "./cdrom";
import { isQemuBelow } from "./findQemus";
import { isQemuOf } from "./process";

/** Anything a path may hold: commas, quotes, newlines, other scripts; only NUL can't be. */
const name = fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 }).filter((text) => !/[\0/]/.test(text));
const folder = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => `/${names.join("/")}`);
const port = fc.integer({ min: 1, max: 65535 });

const link = {
  id: fc.integer({ min: 0, max: 7 }).map((index) => `net${index}`),
  mac: fc.constant("52:54:00:12:34:56"),
  cidr: fc.constant("192.168.0.0/24"),
  gateway: fc.ipV4(),
  dns: fc.ipV4(),
  ipv4: fc.ipV4(),
};
const userInterface = fc.record({ ...link, driver: fc.constant("user" as const), sshHostPort: port });
const bridgeInterface = fc.record({ ...link, driver: fc.constant("bridge" as const) });

const specs: fc.Arbitrary<MachineSpec> = fc.record({
  id: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
  uuid: fc.uuid(),
  arch: fc.constantFrom("x86_64", "aarch64"),
  firmware: fc.constantFrom("bios", "uefi"),
  vcpus: fc.integer({ min: 1, max: 64 }),
  memoryBytes: fc.integer({ min: 2 ** 20, max: 2 ** 40 }),
  disk: fc.record({
    imageSha256: fc.option(fc.constant("a".repeat(64))),
    sizeBytes: fc.integer({ min: 1, max: 2 ** 40 }),
  }),
  cdrom: fc.option(fc.record({ sha256: fc.constant("b".repeat(64)) })),
  bootFrom: fc.constantFrom("disk", "cdrom"),
  interfaces: fc.array(fc.oneof(userInterface, bridgeInterface), { maxLength: 2 }),
  // Names, keys and passwords of users are here: none of it may be on the command line.
  seed: fc.record({
    metaData: fc.constant({}),
    userData: name.map((text) => ({ cloudConfig: { hostname: `secret-${text}` } })),
    networkConfig: fc.constant({}),
  }),
});

const inputs: fc.Arbitrary<ArgvInput> = fc
  .record({
    spec: specs,
    dataDir: folder,
    runDir: folder,
    disk: folder,
    uefiVars: folder,
    backing: fc.array(fc.record({ nodeName: fc.constantFrom("image0", "layer-1"), path: folder }), { maxLength: 3 }),
    incoming: fc.option(folder),
    isoPath: folder,
    uefiCode: fc.option(folder),
  })
  .map(({ spec, dataDir, runDir, disk, uefiVars, backing, incoming, isoPath, uefiCode }) => ({
    spec,
    machineType: "pc-q35-7.2",
    files: { disk, uefiVars, backing },
    incoming,
    isoPath: spec.cdrom && isoPath,
    uefiCode,
    accelerator: { kind: "tcg", cpuModel: "max" },
    paths: machinePaths({ dataDir, runDir }, spec.id),
  }));

/** The values of an option, in order. */
function valuesOf(argv: string[], option: string): string[] {
  return argv.flatMap((argument, index) => (argument === option ? [argv[index + 1] ?? ""] : []));
}

/** As QEMU reads `first,key=value,…`: a comma ends a value, two stand for one (get_opt_value in QEMU's util/qemu-option.c). */
function parseOptions(text: string): Record<string, string> {
  const parts = text.match(/(?:[^,]|,,)+/g) ?? [];
  return Object.fromEntries(
    parts.map((part) => {
      const [key = "", ...value] = part.replaceAll(",,", ",").split("=");
      return [key, value.join("=")];
    }),
  );
}

describe("the command line of a VM", () => {
  test("says exactly what was meant, whatever is in paths and names", () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const argv = qemuArgv(input);
        const { spec, paths } = input;
        const blockdevs = valuesOf(argv, "-blockdev").map((text) => JSON.parse(text));
        const nodes = Object.fromEntries(blockdevs.map((node) => [node["node-name"], node]));
        expect(nodes.disk0.file).toMatchObject({ driver: "file", filename: input.files.disk });
        let { backing } = nodes.disk0;
        for (const { nodeName, path } of input.files.backing) {
          const file = { driver: "file", filename: path, "read-only": true };
          expect(backing).toMatchObject({ driver: "qcow2", "node-name": nodeName, "read-only": true, file });
          backing = backing.backing;
        }
        expect(backing).toBeNull();
        const incoming = valuesOf(argv, "-incoming").map((value) => value.replaceAll(",,", ","));
        expect(incoming).toEqual(input.incoming === null ? [] : [`unix:${input.incoming}`]);
        expect(nodes.seed0).toMatchObject({ driver: "raw", "read-only": true, file: { filename: paths.seed } });
        expect(Object.keys(nodes).length).toBe(
          2 + (input.uefiCode === null ? 0 : 2) + (input.isoPath === null ? 0 : 1),
        );
        const iso = nodes[isoNodeName("b".repeat(64))];
        expect(iso?.file.filename ?? null).toBe(input.isoPath);
        if (iso) expect(iso).toMatchObject({ driver: "raw", "read-only": true, file: { "read-only": true } });
        expect(nodes["uefi-code"]?.file.filename ?? null).toBe(input.uefiCode);

        const chardevs = valuesOf(argv, "-chardev").map(parseOptions);
        expect(chardevs.map(({ id, path, server, wait }) => ({ id, path, server, wait }))).toEqual(
          [
            ["qmp", paths.qmp],
            ["rescue", paths.rescue],
            ["serial0", paths.serialQemu],
            ["agent0", paths.guestAgent],
          ].map(([id, path]) => ({ id, path, server: "on", wait: "off" })),
        );
        expect(valuesOf(argv, "-vnc").map(parseOptions)).toEqual([{ vnc: `unix:${paths.vnc}`, share: "force-shared" }]);

        const netdevs = valuesOf(argv, "-netdev").map((text) => JSON.parse(text));
        expect(netdevs.map(({ hostfwd, ifname }) => hostfwd ?? ifname)).toEqual(
          spec.interfaces.map((link) =>
            link.driver === "user"
              ? [{ str: `tcp:127.0.0.1:${link.sshHostPort}-${link.ipv4}:22` }]
              : `t${spec.id}${link.id.replace("net", "n")}`,
          ),
        );
        for (const text of valuesOf(argv, "-device")) expect(JSON.parse(text)).toHaveProperty("driver");
        expect(valuesOf(argv, "-uuid")).toEqual([spec.uuid]);
        expect(argv.join("\n")).not.toContain("secret-");
        expect(argv).toContain("-nodefaults");
        expect(argv).toContain("-no-user-config");
      }),
    );
  });

  test("has one CD-ROM drive, with a disc or without, and the firmware's order of it and the disk", () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const devices = valuesOf(qemuArgv(input), "-device").map((text) => JSON.parse(text));
        const drives = devices.filter(({ driver }) => /^(ide|scsi)-cd$/.test(driver));
        expect(drives.map(({ id, drive }) => ({ id, drive }))).toEqual([
          { id: cdromId, drive: input.spec.cdrom ? isoNodeName(input.spec.cdrom.sha256) : undefined },
        ]);
        const order = devices
          .filter(({ bootindex }) => bootindex !== undefined)
          .sort((one, other) => one.bootindex - other.bootindex);
        const [first, second] = input.spec.bootFrom === "disk" ? ["vd0", cdromId] : [cdromId, "vd0"];
        expect(order.map(({ id }) => id)).toEqual([first, second]);
      }),
    );
  });

  test("is recognised as this VM's, and as no other's", () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const commandLine = ["qemu-system-x86_64", ...qemuArgv(input)].join("\0");
        const { uuid } = input.spec;
        const { runFolder } = input.paths;
        expect(isQemuOf(commandLine, { uuid, runFolder })).toBe(true);
        expect(isQemuOf(commandLine, { uuid, runFolder: `${runFolder}0` })).toBe(false);
        expect(isQemuOf(commandLine, { uuid: "ffffffff-0000-4000-8000-000000000000", runFolder })).toBe(false);
        const machineSockets = dirname(runFolder);
        expect(isQemuBelow(commandLine, machineSockets)).toBe(true);
        expect(isQemuBelow(commandLine, `${machineSockets}0`)).toBe(false);
        expect(isQemuBelow(commandLine, machineSockets.slice(1))).toBe(false);
        expect(isQemuBelow(`gdb\0--args\0${commandLine}`, machineSockets)).toBe(false);
        expect(isQemuBelow(`pgrep\0-f\0${commandLine.replaceAll("\0", " ")}`, machineSockets)).toBe(false);
      }),
    );
  });

  test("gives a PC a VGA and a PS/2 keyboard, an ARM machine a virtio screen and a USB keyboard", () => {
    const [input] = fc.sample(inputs, 1);
    if (input === undefined) throw new Error("no sample");
    const drivers = (arch: "x86_64" | "aarch64") =>
      valuesOf(qemuArgv({ ...input, spec: { ...input.spec, arch } }), "-device").map((text) => JSON.parse(text).driver);
    expect(drivers("x86_64")).toContain("VGA");
    expect(drivers("x86_64")).not.toContain("usb-kbd");
    expect(drivers("aarch64")).toEqual(expect.arrayContaining(["virtio-gpu-pci", "usb-kbd"]));
  });
});
