import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { encrypt } from "unixcrypt";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type ImageManifest, imageManifestSchema } from "../../domain/image";
import { type Recipe, recipeSchema, withHashedPasswords } from "../../domain/recipe";
import { pathsOf } from "../../env";
import { until } from "../../hypervisor/testing/until";
import { detectUserScheme, workUserId } from "../../system/machineUsers";
import { removeTree } from "../../system/removeTree";
import { slowTest } from "../../system/testing/slowTests";
import { whileFoldersAreStuck } from "../../system/testing/stuckFolders";
import { Guest } from "../mini/guest.testKit";
import { imageFile, installImage, listImages } from "../store";
import { testAppliance } from "../testing/appliance";
import { installBuiltImage } from "../testing/builtImage";
import { customizeImage } from "./customize";
import { exampleRecipes } from "./examples";

let dir: string;
let paths: ReturnType<typeof pathsOf>;
let base: ImageManifest;
let publicKey: string;
const log: string[] = [];
/** NUL, line ends, and what is no UTF-8. */
const everyByte = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
const guests: Guest[] = [];

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "recipes-"));
  paths = { ...pathsOf({ dataDir: join(dir, "data"), runDir: join(dir, "run") }), appliance: testAppliance };
  // The machine that changes a disk belongs to a user who passes through.
  await mkdir(join(dir, "data"));
  for (const folder of [dir, join(dir, "data")]) await chmod(folder, 0o711);
  base = await installBuiltImage(paths, { name: "mini", arch: "x86_64" });
  await execa("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", join(dir, "key")]);
  publicKey = (await readFile(join(dir, "key.pub"), "utf8")).trim();
}, 300_000);

afterEach(async () => {
  for (const guest of guests.splice(0)) await guest.kill();
});

afterAll(async () => {
  await rm(dir, { recursive: true, force: true });
});

let count = 0;
async function customize(from: ImageManifest, recipe: Recipe, signal = new AbortController().signal) {
  const workDir = join(paths.staging, `image-${++count}`);
  const report = { progress: () => {}, log: (line: string) => log.push(line) };
  const accelerator = { kind: "tcg", cpuModel: "max", reason: "" } as const;
  try {
    const params = { base: from, recipe: withHashedPasswords(recipe, encrypt), names: {} };
    return await customizeImage(params, { paths, workDir, accelerator, report, signal });
  } finally {
    await rm(workDir, { recursive: true, force: true });
  }
}

function example(name: string): Recipe {
  const found = exampleRecipes().find((recipe) => recipe.name === name);
  if (!found) throw new Error(`There is no example ${name}.`);
  return found;
}

async function start(image: ImageManifest, userData: Record<string, unknown> = {}): Promise<Guest> {
  const guest = await Guest.start({
    dir: join(dir, image.name),
    image: imageFile(paths, image.sha256),
    identity: join(dir, "key"),
    seed: { metaData: { "instance-id": "i-1", "local-hostname": "derived" }, userData },
  });
  guests.push(guest);
  await guest.waitForSerial(/^cumulus: boot done$/m, 300_000);
  return guest;
}

/** Users of the QEMUs that have a path on their command line. */
function usersOfQemu(path: string): number[] {
  return readdirSync("/proc").flatMap((pid) => {
    try {
      const line = readFileSync(`/proc/${pid}/cmdline`, "utf8");
      return /^[^\0]*qemu-system/.test(line) && line.includes(path) ? [statSync(`/proc/${pid}`).uid] : [];
    } catch {
      return [];
    }
  });
}

/** Libguestfs' folders of a user: others are tests' that run beside this one. */
function temporaryOf(user: number | undefined): string[] {
  return readdirSync("/tmp").filter((name) => {
    if (!name.startsWith("libguestfs")) return false;
    return statSync(join("/tmp", name), { throwIfNoEntry: false })?.uid === user;
  });
}

async function hashOfBase(): Promise<string> {
  return createHash("sha256")
    .update(await readFile(imageFile(paths, base.sha256)))
    .digest("hex");
}

// Libguestfs' machine takes 10 s to start, and one of ours 5 s; the deadline is for a computer that has much else to do.
describe("recipes", { timeout: 900_000 }, () => {
  test("the examples greet at login, give root a password, and do what is typed on the serial console", async () => {
    const greeting = await customize(base, example("os-cloud-welcome"));
    expect(greeting.source).toEqual({
      ...{ type: "recipe", baseSha256: base.sha256, baseName: base.name, recipe: "os-cloud-welcome" },
    });
    const withPassword = await customize(greeting, example("root-password"));
    const prepared = await customize(withPassword, example("serial-console"));
    expect(await hashOfBase()).toBe(base.sha256);
    expect(log.join("\n")).not.toContain("123456");

    const guest = await start(prepared, { ssh_authorized_keys: [publicKey] });
    expect(await guest.login("root")).toContain("This machine lives in OS Cloud.");
    expect(await guest.ssh("root", "cat /etc/prepared-on-console")).toMatch(/UTC 20\d\d/);
    await guest.waitForSerial(/derived login: $/);
    await guest.type("root\r");
    await guest.waitForSerial(/Password: $/);
    await guest.type("123456\r");
    await guest.waitForSerial(/This machine lives in OS Cloud\.[\s\S]*root@derived/);
  });

  slowTest(
    "each kind of step that needs no network is done in the disk, with no byte of it taken for a command",
    async () => {
      const content = "Grüße: $(touch /injected) `touch /injected`\n#' \\n\n";
      const recipe = recipeSchema.parse({
        name: "steps",
        title: "Steps",
        steps: [
          { type: "file", path: "/srv/new/file", content, permissions: "0640" },
          { type: "file", path: "/srv/bytes", content: everyByte.toString("base64"), encoding: "base64" },
          { type: "file", path: "/etc/timezone", content: "Etc/UTC\n", permissions: "0644" },
          { type: "timezone", timezone: "America/Lima" },
          { type: "timezone", timezone: "Asia/Kathmandu" },
          { type: "ssh-keys", keys: [publicKey] },
          { type: "script", script: "#!/bin/bash\nset -e\nid -un > /srv/script\nls / > /srv/listing\n" },
        ],
      });
      const guest = await start(await customize(base, recipe));
      const files =
        "cat /srv/new/file /srv/script; stat -c '%u:%g %a' /srv/new/file; ls /injected /etc/timezone; date +%z";
      expect(await guest.ssh("root", `${files} 2>/dev/null`)).toBe(`${content}root\n0:0 640\n+0545`);
      expect(await guest.ssh("root", "base64 -w 0 /srv/bytes")).toBe(everyByte.toString("base64"));
    },
  );

  slowTest("what is asked for the first boot is done by each machine once", async () => {
    const recipe = recipeSchema.parse({
      name: "at-first-boot",
      title: "At first boot",
      place: "first-boot",
      steps: [
        { type: "file", path: "/srv/file", content: "it's $0\n", permissions: "0600" },
        { type: "file", path: "/srv/bytes", content: everyByte.toString("base64"), encoding: "base64" },
        { type: "timezone", timezone: "Asia/Kathmandu" },
        { type: "root-password", password: "p'w" },
        { type: "script", script: "#!/bin/bash\necho once >> /srv/times\n" },
      ],
    });
    const image = await customize(base, recipe);
    const guest = await start(image, { ssh_authorized_keys: [publicKey], ssh_pwauth: true });
    expect(await guest.serial()).not.toContain("failed");
    expect(await guest.ssh("root", "cat /srv/times /srv/file; date +%z", "p'w")).toBe("once\nit's $0\n+0545");
    expect(await guest.ssh("root", "base64 -w 0 /srv/bytes", "p'w")).toBe(everyByte.toString("base64"));
    await guest.ssh("root", "sync");
    await guest.kill();
    const again = await start(image, { ssh_authorized_keys: [publicKey], ssh_pwauth: true });
    expect(await again.ssh("root", "cat /srv/times")).toBe("once");
    await again.kill();
    const other = { ...image, name: "asks-otherwise" };
    const asked = await start(other, { ssh_authorized_keys: [publicKey], timezone: "America/Lima" });
    expect(await asked.ssh("root", "cat /srv/times; date +%z")).toBe("once\n-0500");
  });

  test("the machine that changes a disk has no rights on the host, and one that is cut leaves nothing behind", async () => {
    const user = (await detectUserScheme()).userOf(workUserId)?.uid ?? process.getuid?.();
    const steps = [{ type: "script", script: "#!/bin/sh\necho the script runs\nsleep 600\n" }];
    const before = temporaryOf(user);
    const cancel = new AbortController();
    const customizing = customize(base, recipeSchema.parse({ name: "long", title: "Long", steps }), cancel.signal);
    const cut = customizing.catch((error: unknown) => error);
    const machine = join(paths.staging, `image-${count}`, "changed.qcow2");
    await until(() => log.some((line) => line.includes("Running: step-1")), 600_000);
    expect(usersOfQemu(machine)).toEqual([user]);
    cancel.abort();
    expect(await cut).toBeInstanceOf(Error);
    expect(temporaryOf(user)).toEqual(before);
    expect(await readdir(paths.guestfsScratch)).toEqual([]);
    await until(() => usersOfQemu(machine).length === 0);
  });

  test("the machine of a recipe for the console has its image's firmware", async () => {
    const steps = [
      { type: "console", expect: "BdsDxe: starting", timeoutSeconds: 300 },
      { type: "console", expect: "never said", timeoutSeconds: 1 },
    ];
    const recipe = recipeSchema.parse({ name: "uefi", title: "UEFI", place: "console", steps });
    const { sha256: _, fileBytes: __, virtualBytes: ___, createdAt: ____, ...description } = base;
    const copy = join(dir, "copy.qcow2");
    await execa("qemu-img", ["convert", "-O", "qcow2", imageFile(paths, base.sha256), copy]);
    const uefi = imageManifestSchema.shape.firmware.parse("uefi");
    const names = { name: "uefi-only", firmware: uefi, firmwares: [uefi] };
    const image = await installImage(paths, copy, { ...description, ...names });
    await expect(customize(image, recipe)).rejects.toThrow(/Step 2: .*within 1 s/);
  });

  slowTest("why a recipe failed is told though what it needed can't be removed", async () => {
    const steps = [{ type: "script", script: "#!/bin/sh\nexit 3\n" }];
    const recipe = recipeSchema.parse({ name: "stuck", title: "Stuck", steps });
    await whileFoldersAreStuck(() =>
      expect(customize(base, recipe)).rejects.toMatchObject({
        code: "bad_request",
        message: expect.stringContaining("could not be applied"),
      }),
    );
    expect(await readdir(paths.guestfsScratch)).toEqual([`image-${count}`]);
    expect(log.at(-1)).toContain("stays for now");
    await removeTree(paths.guestfsScratch);
  });

  test("a step that fails, on the disk or on the console, is told and leaves no image behind", async () => {
    const before = await listImages(paths, () => {});
    const failing = { name: "failing", title: "Failing" };
    const script = [{ type: "script", script: "#!/bin/sh\necho no good >&2; exit 3\n" }];
    await expect(customize(base, recipeSchema.parse({ ...failing, steps: script }))).rejects.toMatchObject({
      code: "bad_request",
    });
    expect(log.join("\n")).toContain("no good");
    const locale = [{ type: "locale", locale: "de_DE.UTF-8" }];
    await expect(customize(base, recipeSchema.parse({ ...failing, steps: locale }))).rejects.toMatchObject({
      code: "bad_request",
    });
    expect(log.join("\n")).toContain("This image has no locale de_DE.UTF-8");
    const console = [{ type: "console", expect: "never said", timeoutSeconds: 1 }];
    const typed = recipeSchema.parse({ ...failing, place: "console", steps: console });
    await expect(customize(base, typed)).rejects.toThrow(/did not say "never said" within 1 s/);
    await expect(customize(base, typed, AbortSignal.abort())).rejects.toThrow();
    expect(await listImages(paths, () => {})).toEqual(before);
    expect(await readdir(paths.staging)).toEqual([]);
  });
});
