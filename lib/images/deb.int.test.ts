import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { openApt, resolvePackages } from "./deb";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "apt-"));
  // Nothing listens there: as a mirror is from a host without a way out.
  await writeFile(join(folder, "sources.list"), "deb http://127.0.0.1:1/debian bookworm main\n");
  const config = `Dir::Etc::sourcelist "${folder}/sources.list";\nDir::Etc::sourceparts "-";\n`;
  await writeFile(join(folder, "apt.conf"), config);
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

test("where the lists can't be fetched, the mirror is said to be out of reach, and for what it was needed", async () => {
  const { stdout: own } = await execa("dpkg", ["--print-architecture"]);
  vi.stubEnv("APT_CONFIG", join(folder, "apt.conf"));
  try {
    const opening = openApt(own === "arm64" ? "amd64" : "arm64", join(folder, "state"), { makes: "a thing" });
    await expect(opening).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringMatching(/^The package mirror can't be reached, and a thing is made of packages/),
    });
  } finally {
    vi.unstubAllEnvs();
  }
});

test("a package that the lists don't have is told with what was to be made of it", async () => {
  const apt = { options: ["-o", `Dir::State=${folder}/empty`], makes: "a thing" };
  await expect(resolvePackages(apt, ["no-such-package"], () => true)).rejects.toMatchObject({
    code: "unavailable",
    message: expect.stringMatching(
      /^apt does not find what a thing is made of \(.*\)\. Its lists may be missing or old/,
    ),
  });
});
