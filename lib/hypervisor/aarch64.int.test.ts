import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inflateSync } from "node:zlib";
import { execa } from "execa";
import { afterAll, beforeAll, expect } from "vitest";
import { noFirstBoot } from "../domain/firstBoot";
import { sshHostPortOf } from "../domain/machine";
import { seedOf } from "../domain/seed";
import { MIB } from "../domain/units";
import { pathsOf } from "../env";
import { installBuiltImage } from "../images/testing/builtImage";
import { slowTest } from "../system/testing/slowTests";
import { TestHost, untilSeen } from "./testing/testHost";
import { until } from "./testing/until";

let host: TestHost;
let keys: string;

beforeAll(async () => {
  host = await TestHost.make();
  keys = await mkdtemp(join(tmpdir(), "keys-"));
});
afterAll(async () => {
  await host.close();
  await rm(keys, { recursive: true, force: true });
});

slowTest(
  "a guest of the other architecture is emulated: it boots by UEFI, answers by SSH, shows a login and turns off",
  async () => {
    const image = await installBuiltImage(pathsOf(host.settings), { name: "mini", arch: "aarch64" });
    const key = join(keys, "key");
    await execa("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", key]);
    const agent = await host.agent();
    const spec = await host.spec(1, {
      arch: "aarch64",
      firmware: "uefi",
      // What the image asks for.
      memoryBytes: 256 * MIB,
      disk: { imageSha256: image.sha256, sizeBytes: 1024 * MIB },
    });
    const [link] = spec.interfaces;
    if (!link) throw new Error("The VM has no network.");
    const seed = seedOf({
      ...link,
      uuid: spec.uuid,
      hostname: "arm",
      loginUser: image.loginUser,
      publicKeys: [(await readFile(`${key}.pub`, "utf8")).trim()],
      userData: null,
      files: [],
      further: [],
      userShell: null,
      firstBoot: noFirstBoot,
    });
    await agent.ensure({ ...spec, seed });
    await agent.start(1);
    await untilSeen(agent, 1, (seen) => seen.milestones.ssh !== undefined, 600_000);

    const options = ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR", "ConnectTimeout=60"];
    const { stdout } = await execa("ssh", [
      ...["-F", "none", "-i", key, ...options.flatMap((option) => ["-o", option])],
      ...[
        "-p",
        String(sshHostPortOf(spec)),
        "root@127.0.0.1",
        "uname -m; ls /sys/class/drm; ls /dev/input/by-path 2>/dev/null | wc -l",
      ],
    ]);
    expect(stdout).toMatch(/^aarch64\ncard0/);

    const vnc = await agent.openVnc(1);
    const greeting = await new Promise((resolve) => vnc.once("data", (chunk: Buffer) => resolve(chunk.toString())));
    vnc.destroy();
    expect(greeting).toMatch(/^RFB 003\.008/);
    await until(async () => isDrawnOn(await agent.screenshot(1)), 60_000);

    await agent.shutdown(1);
    await untilSeen(agent, 1, (seen) => seen.state === "stopped" && seen.stoppedBy === "request", 300_000);
  },
  1_800_000,
);

/** Whether a picture (PNG, RFC 2083) is more than black: text lights some thousand dots. */
function isDrawnOn(png: Buffer): boolean {
  const data: Buffer[] = [];
  for (let at = 8; at < png.length; at += 12 + png.readUInt32BE(at)) {
    if (png.toString("latin1", at + 4, at + 8) === "IDAT")
      data.push(png.subarray(at + 8, at + 8 + png.readUInt32BE(at)));
  }
  return inflateSync(Buffer.concat(data)).filter((byte) => byte !== 0).length > 3_000;
}
