import { mkdtemp, open, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { createOverlay } from "../../hypervisor/disk";
import { flatten, makeOverlay } from "./flatten";

let image: string;
let overlay: string;
let target: string;

beforeEach(async () => {
  const dir = await mkdtemp(join(tmpdir(), "flatten-"));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  [image, overlay, target] = [join(dir, "image.qcow2"), join(dir, "overlay.qcow2"), join(dir, "flat.qcow2")];
  await execa("qemu-img", ["create", "-q", "-f", "qcow2", image, "1M"]);
});

/** As somebody would who can write the image: incompatible_features of QEMU's docs/interop/qcow2.txt. */
async function leadElsewhere(): Promise<void> {
  const file = await open(image, "r+");
  await file.write(Buffer.from([0b100]), 0, 1, 79);
  await file.close();
}

const refused = { code: "bad_request", message: expect.stringContaining("in another file") };

test("no disk is made on an image that came to lead to another file", async () => {
  await leadElsewhere();
  await expect(makeOverlay(image, overlay)).rejects.toMatchObject(refused);
  await expect(createOverlay(overlay, image, 1024 ** 2, null)).rejects.toMatchObject(refused);
  await expect(stat(overlay)).rejects.toMatchObject({ code: "ENOENT" });
});

test("an image that came to lead to another file since a disk was made on it is not read", async () => {
  await makeOverlay(image, overlay);
  await leadElsewhere();
  await expect(flatten(image, overlay, target, new AbortController().signal)).rejects.toMatchObject(refused);
  await expect(stat(target)).rejects.toMatchObject({ code: "ENOENT" });
});
