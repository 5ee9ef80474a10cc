import { readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { listCopies } from "../../backups/store";
import type { ImageIdentity } from "../../domain/image";
import { pathsOf, type Settings } from "../../env";
import type { Failpoint, imageFailpoints } from "../../failpoints";
import { installImage } from "../../images/store";
import { file, serveImages } from "../../images/testing/imageServer";
import { rawDisk, testImage } from "../../images/testing/images";
import { chosenCases } from "../../system/testing/slowTests";
import type { taskKinds } from "./kinds";
import { backedUpVm, ended, TaskBed } from "./testing/taskBed";

type Act =
  | "download"
  | "upload"
  | "build"
  | "recipe"
  | "capture"
  | "capture-uefi"
  | "remove"
  | "export"
  | "archive"
  | "import"
  | Backup;
type Backup = "backup" | "backup-restore" | "backup-remove";

/** In which acts the code comes to each place. A new place is a type error until it stands here, and then it is tested. */
const actsOf: Record<(typeof imageFailpoints)[number], readonly Act[]> = {
  "agent.task.written": ["download"],
  "agent.task.worked": ["download", "export", "archive", "import", "backup"],
  "agent.task.end-written": ["download"],
  "agent.work.folder-made": ["capture"],
  "agent.download.begun": ["download"],
  "agent.download.received": ["download"],
  "agent.upload.receiving": ["upload", "import"],
  "agent.upload.received": ["upload", "import"],
  "agent.intake.expanded": ["download"],
  "agent.intake.converted": ["upload"],
  "agent.install.staged": ["capture"],
  "agent.install.moved": ["download"],
  "agent.install.variables-kept": ["capture-uefi", "import"],
  "agent.install.described": ["capture", "recipe", "backup-restore", "import"],
  "agent.image-remove.undescribed": ["remove"],
  "agent.build.made": ["build"],
  "agent.recipe.overlay-made": ["recipe"],
  "agent.recipe.changed": ["recipe"],
  "agent.recipe.flattened": ["recipe"],
  "agent.export.written": ["capture", "export", "archive"],
  "agent.export.moved": ["capture", "export", "archive"],
  "agent.archive.packed": ["archive"],
  "agent.archive.moved": ["archive"],
  "agent.import.unpacked": ["import"],
  "agent.backup.kept": ["backup"],
  "agent.backup.verified": ["backup"],
  "agent.backup-restore.fetched": ["backup-restore"],
  "agent.backup-remove.removed": ["backup-remove"],
};

const kindOf: Record<Act, keyof typeof taskKinds> = {
  download: "image-download",
  upload: "image-upload",
  build: "image-build",
  recipe: "image-customize",
  capture: "image-capture",
  "capture-uefi": "image-capture",
  remove: "image-remove",
  export: "disk-export",
  archive: "disk-export",
  import: "vm-import",
  backup: "backup",
  "backup-restore": "backup-restore",
  "backup-remove": "backup-remove",
};
const imageActs: readonly Act[] = [
  "download",
  "upload",
  "build",
  "recipe",
  "capture",
  "capture-uefi",
  "import",
  "backup-restore",
];

const upload = rawDisk();

let bed: TaskBed;
/** What an upload and an import bring. */
const brought = new Map<Act, string>();

beforeAll(async () => {
  bed = await TaskBed.make();
  const bringFile = join(bed.host.settings.dataDir, "brought");
  await writeFile(bringFile, upload);
  brought.set("upload", bringFile).set("import", await bed.archive());
});
afterAll(async () => {
  await bed?.host.close();
});

describe("an agent killed on its way", { timeout: 400_000 }, () => {
  test.each<[Failpoint, Act]>(chosenCases(actsOf))(
    "at %s of %s: the task goes on or ends with a reason, and nothing half done stays",
    async (place, act) => {
      const id = bed.newId();
      const images = await bed.namesIn("images");
      const copies = await listCopies(bed.access);
      const { params, settings } = await paramsOf(act);
      const before = await bed.namesIn("images");
      // Dies at its place, by which time nothing of it runs any more.
      const uploadFile = brought.get(act) ?? null;
      const { signal, stderr } = await bed.start(
        { id, kind: kindOf[act], params, failpoint: place, uploadFile },
        settings,
      );
      expect(signal, stderr).toBe("SIGKILL");
      expect(await readdir(bed.host.settings.dataDir)).not.toContain("failpoint");

      await bed.withNextAgent(async (tasks, agent) => {
        const state = await ended(tasks, id);
        // Its sender is gone, and what had come by then is not all.
        const isLost = place === "agent.upload.receiving";
        expect(state).toMatchObject(
          isLost
            ? { status: "failed", error: { message: expect.stringMatching(/send it again\.$/) } }
            : { status: "done" },
        );
        await bed.expectWhole(agent);
        const made = (await bed.namesIn("images")).filter((name) => !before.includes(name) && name.endsWith(".json"));
        expect(made).toHaveLength(imageActs.includes(act) && !isLost ? 1 : 0);
        for (const name of made)
          await agent.removeImage({ sha256: name.slice(0, 64), name: name.slice(65, -".json".length) });
        expect(await bed.namesIn("images")).toEqual(images);
        if (act === "backup") {
          expect((await listCopies(bed.access)).map(({ key }) => key)).toContain((state.result as { key: string }).key);
        }
        const change = { backup: 1, "backup-remove": -1 }[act as string] ?? 0;
        expect(await listCopies(bed.access)).toHaveLength(copies.length + change);
        const exported = { export: [`${id}.qcow2`], archive: [`${id}.tar`] }[act as string] ?? [];
        expect(await bed.namesIn("exports")).toEqual(exported);
        await rm(pathsOf(bed.host.settings).exports, { recursive: true, force: true });
      }, settings);
    },
  );
});

async function paramsOf(act: Act): Promise<{ params: unknown; settings?: Settings }> {
  const { kind: _, ...image } = testImage;
  const { access } = bed;
  switch (act) {
    case "download": {
      const server = await serveImages({ "/disk.raw.gz": file(gzipSync(upload)) });
      const params = { from: "url", url: `${server.url}/disk.raw.gz`, checksum: null, image: testImage };
      return { params, settings: { ...bed.host.settings, imageHosts: [server.host] } };
    }
    case "upload":
      return { params: { fileName: "disk.raw", checksum: null, image: testImage } };
    case "build":
      return { params: { name: "mini", arch: "x86_64" } };
    case "recipe":
      // The test guest turns itself off at an "o".
      return { params: bed.recipe("console", { type: "console", expect: "boot done", send: "o" }) };
    case "capture":
    case "capture-uefi": {
      const isUefi = act === "capture-uefi";
      const described = { title: "Captured", description: "", firmware: isUefi ? "uefi" : "bios", loginUser: "nobody" };
      return { params: { disk: { vmId: isUefi ? 2 : 1 }, image: { ...image, ...described, minMemoryBytes: 2 ** 24 } } };
    }
    case "remove":
      return { params: await otherImage() };
    case "export":
      return { params: { source: { vmId: 1 } } };
    case "archive":
      return { params: { source: { vmId: 2 }, archive: { ...backedUpVm, firmware: "uefi" } } };
    case "import":
      return { params: { description: { ...backedUpVm, firmware: "uefi" }, imageName: "imported" } };
    case "backup":
      return { params: { access, snapshotId: 1, description: backedUpVm } };
    case "backup-restore":
    case "backup-remove": {
      const [newest] = await listCopies(access);
      const key = newest?.key;
      return { params: act === "backup-remove" ? { access, keys: [key] } : { access, key, imageName: "restored" } };
    }
  }
}

/** An image of other bytes than the test guest. */
async function otherImage(): Promise<ImageIdentity> {
  const { settings } = bed.host;
  const copy = join(settings.dataDir, "other.qcow2");
  await execa("qemu-img", ["create", "-q", "-f", "qcow2", copy, "1M"]);
  const described = { title: "Other", firmware: "bios" as const, recipeHash: null };
  const { sha256, name } = await installImage(pathsOf(settings), copy, { ...testImage, ...described });
  return { sha256, name };
}
