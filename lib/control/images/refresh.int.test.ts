import { eq } from "drizzle-orm";
import { expect, test } from "vitest";
import { testHypervisor } from "../../agent/testAgent";
import { images } from "../../db/schema/images";
import { operations } from "../../db/schema/operations";
import type { ImageSource } from "../../domain/image";
import { systemActor } from "../context";
import { testControlPlane } from "../testControlPlane";
import { refreshImage } from "./refresh";

const plane = testControlPlane();

test("an image that was built here is built again, for its architecture", async () => {
  expect(await taskOfRefreshed({ type: "built" })).toEqual({
    taskKind: "image-build",
    taskParams: { name: "mini", arch: "x86_64" },
  });
});

test("an image that came by URL is fetched again from there, whatever its checksum is now, with all that was said of it", async () => {
  const url = "https://example.org/disk.qcow2";
  const { taskKind, taskParams } = await taskOfRefreshed({ type: "url", url });
  expect(taskKind).toBe("image-download");
  expect(taskParams).toMatchObject({ from: "url", url, checksum: null });
  expect(taskParams?.image).toMatchObject({ name: "mini", kind: "disk", arch: "x86_64", loginUser: "root" });
});

test("an image that was uploaded can't be had anew, and says so", async () => {
  const refreshed = taskOfRefreshed({ type: "upload", fileName: "disk.qcow2" });
  await expect(refreshed).rejects.toMatchObject({ code: "wrong_state", message: expect.stringContaining("an upload") });
});

/** What the host is asked for when `mini`, come from there, is to be had anew. */
async function taskOfRefreshed(source: ImageSource) {
  const context = await plane.hostedContextWith(testHypervisor());
  const [mini] = await context.db.update(images).set({ source }).where(eq(images.name, "mini")).returning();
  const { id } = await refreshImage(context, systemActor, mini?.id ?? 0);
  const { taskKind, taskParams } = operations;
  const [task] = await context.db.select({ taskKind, taskParams }).from(operations).where(eq(operations.id, id));
  return task ?? expect.unreachable();
}
