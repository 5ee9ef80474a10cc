import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { MachineSpec } from "../../domain/machine";
import { machinePaths } from "../machinePaths";
import { type ArgvInput, qemuArgv } from "./argv";
import { isQemuOf } from "./process";

/** Anything a path may hold: commas, quotes, newlines, other scripts; only NUL can't be. */
const name = fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 }).filter((text) => !/[\0/]/.test(text));
const folder = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => `/${names.join("/")}`);
const port = fc.integer({ min: 1, max: 65535 });

const specs: fc.Arbitrary<MachineSpec> = fc.record({
  id: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
  uuid: fc.uuid(),
  arch: fc.constantFrom("x86_64", "aarch64"),
  firmware: fc.constantFrom("bios", "uefi"),
  vcpus: fc.integer({ min: 1, max: 64 }),
  memoryBytes: fc.integer({ min: 2 ** 20, max: 2 ** 40 }),
  disk: fc.record({ imageSha256: fc.constant("a".repeat(64)), sizeBytes: fc.integer({ min: 1, max: 2 ** 40 }) }),
  interfaces: fc.array(
    fc.record({
      id: fc.integer({ min: 0, max: 99 }).map((index) => `net${index}`),
      mac: fc.constant("52:54:00:12:34:56"),
      driver: fc.constant("user" as const),
      cidr: fc.constant("192.168.0.0/24"),
      gateway: fc.ipV4(),
      dns: fc.ipV4(),
      ipv4: fc.ipV4(),
      sshHostPort: port,
    }),
    { maxLength: 2 },
  ),
  // Names, keys and passwords of users are here: none of it may be on the command line.
  seed: fc.record({
    metaData: fc.constant({}),
    userData: name.map((text) => ({ cloudConfig: { hostname: `secret-${text}` } })),
    networkConfig: fc.constant({}),
  }),
});

const inputs: fc.Arbitrary<ArgvInput> = fc
  .record({ spec: specs, dataDir: folder, runDir: folder, imagePath: folder, uefiCode: fc.option(folder) })
  .map(({ spec, dataDir, runDir, imagePath, uefiCode }) => ({
    spec,
    imagePath,
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
        expect(nodes.disk0.file).toEqual({ driver: "file", filename: paths.disk });
        expect(nodes.disk0.backing.file.filename).toBe(input.imagePath);
        expect(nodes.disk0.backing).toMatchObject({ driver: "qcow2", "read-only": true, backing: null });
        expect(nodes.seed0).toMatchObject({ driver: "raw", "read-only": true, file: { filename: paths.seed } });
        expect(Object.keys(nodes).length).toBe(input.uefiCode === null ? 2 : 4);
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
        expect(netdevs.map(({ hostfwd }) => hostfwd)).toEqual(
          spec.interfaces.map(({ sshHostPort, ipv4 }) => [{ str: `tcp:127.0.0.1:${sshHostPort}-${ipv4}:22` }]),
        );
        for (const text of valuesOf(argv, "-device")) expect(JSON.parse(text)).toHaveProperty("driver");
        expect(valuesOf(argv, "-uuid")).toEqual([spec.uuid]);
        expect(argv.join("\n")).not.toContain("secret-");
        expect(argv).toContain("-nodefaults");
        expect(argv).toContain("-no-user-config");
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
