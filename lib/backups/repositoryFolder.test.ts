import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { startTestAgent, testHypervisor, testTaskRunner } from "../agent/testAgent";
import { assertOutside } from "./repositoryFolder";
import { folder, folderAccess } from "./testing/places";

test("no folder of Cumulus' own becomes a repository, by whatever path, and one beside it may", async () => {
  const host = folder();
  const [dataDir, beside, link] = [join(host, "data"), join(host, "data-copies"), join(host, "link")];
  mkdirSync(join(dataDir, "copies"), { recursive: true });
  mkdirSync(beside);
  symlinkSync(dataDir, link);
  for (const path of [dataDir, join(dataDir, "copies"), join(link, "copies"), join(dataDir, "none")]) {
    await expect(assertOutside(folderAccess(path), dataDir)).rejects.toMatchObject({
      code: "bad_request",
      fields: { "place.path": expect.stringContaining("on another disk") },
    });
  }
  await assertOutside(folderAccess(beside), dataDir);
});

test("the agent makes no repository in its data folder", async () => {
  const hypervisor = testHypervisor();
  const tasks = testTaskRunner(hypervisor, {});
  const { client } = await startTestAgent(hypervisor, { tasks });
  const path = join(tasks.settings.dataDir, "copies");
  mkdirSync(path, { recursive: true });
  await expect(client.makeRepository(folderAccess(path))).rejects.toMatchObject({ code: "bad_request" });
});
