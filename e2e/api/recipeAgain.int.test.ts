import { mkdir, mkdtemp, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, expect } from "vitest";
import type { Image } from "../../lib/domain/image";
import type { ImageDetail } from "../../lib/domain/imageDetail";
import type { Operation } from "../../lib/domain/operation";
import { pathsOf } from "../../lib/env";
import { testAppliance } from "../../lib/images/testing/appliance";
import { installBuiltImage } from "../../lib/images/testing/builtImage";
import { slowTest } from "../../lib/system/testing/slowTests";
import { type Stack, startStack } from "../stack";
import { imageClient } from "./imageClient";

/** Machines that are emulated, on a computer that has much else to do. */
const slowMs = 600_000;

const rootPassword = { name: "rooted", title: "Rooted", steps: [{ type: "root-password", password: "open-sesame" }] };
const typed = {
  name: "typed",
  title: "Typed",
  place: "console",
  steps: [
    { type: "console", expect: "login: ", send: "root", timeoutSeconds: 600 },
    { type: "console", expect: "Password: ", send: "open-sesame" },
    { type: "console", expect: "# ", send: "PS1='typed''> '" },
    { type: "console", expect: "typed> ", send: "sync; poweroff" },
  ],
};

let stack: Stack;
let api: ReturnType<typeof imageClient>;
beforeAll(async () => {
  // The machines in which recipes work are real: only VMs are not.
  stack = await startStack({ hypervisor: "fake", startsParts: false });
  await mkdir(testAppliance, { recursive: true });
  await symlink(testAppliance, pathsOf(stack.settings).appliance);
  await installBuiltImage(pathsOf(stack.settings), { name: "mini", arch: "x86_64" });
  await Promise.all([stack.startPostgres(), stack.startAgent()]);
  await stack.startConsole();
  api = imageClient(stack);
}, slowMs);
afterAll(() => stack?.stop());

const detailOf = async (id: number) => (await stack.api<ImageDetail>("GET", `/api/images/${id}`)).body;

/** An image of the same name and another file. */
async function repacked({ sha256, name }: Image): Promise<ImageDetail> {
  const folder = await mkdtemp(join(tmpdir(), "repacked-"));
  try {
    const [from, to] = [join(pathsOf(stack.settings).images, `${sha256}.qcow2`), join(folder, "disk.qcow2")];
    await execa("qemu-img", ["convert", "-c", "-f", "qcow2", "-O", "qcow2", from, to]);
    return await api.uploaded(name, await readFile(to));
  } finally {
    await rm(folder, { recursive: true });
  }
}

slowTest(
  "a recipe for the console is kept with its image, and runs again on a newer build of what that was made from",
  async () => {
    const base = await api.made(await api.post({ recipe: rootPassword, base: "mini" }), slowMs);
    expect(JSON.stringify(base)).not.toContain("open-sesame");
    expect(base.recipe).toMatchObject({ name: "rooted", place: "disk", steps: [{ passwordHash: expect.any(String) }] });

    const asked = await api.post<Operation>({ recipe: typed, base: "rooted", title: "Typed on its console" });
    const first = await api.made(asked, slowMs);
    const source = { type: "recipe", recipe: "typed", baseName: "rooted" };
    expect(first).toMatchObject({ name: "typed", source: { ...source, baseSha256: base.sha256 }, newerBase: null });
    expect(first.recipe).toMatchObject({ name: typed.name, place: "console", steps: typed.steps });
    const { body: log } = await stack.api<{ text: string }>("GET", `/api/operations/${asked.body.id}/log`);
    expect(log.text).toContain("typed> ");

    const newer = await repacked(base);
    expect(newer).toMatchObject({ name: "rooted" });
    expect(newer.sha256).not.toBe(base.sha256);
    expect((await detailOf(first.id)).newerBase).toMatchObject({ id: newer.id, name: "rooted" });

    const second = await api.made(await stack.api<Operation>("POST", `/api/images/${first.id}/refresh`), slowMs);
    expect(second).toMatchObject({
      name: "typed",
      title: "Typed on its console",
      recipe: first.recipe,
      newerBase: null,
    });
    expect(second).toMatchObject({ source: { ...source, baseSha256: newer.sha256 } });
    expect(second.id).not.toBe(first.id);
    expect(await detailOf(first.id)).toMatchObject({ newerId: second.id });
  },
  3 * slowMs,
);
