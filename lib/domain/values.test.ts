import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { byteSizeSchema } from "./byteSize";
import { ipv4ToNumber, nextFreeAddress, numberToIpv4, rangeOf } from "./ipv4";
import { sshPublicKeyProblem } from "./sshKey";
import { type Milestones, timelineOf } from "./timeline";
import { formatBytes, parseBytes } from "./units";
import { vmNameSchema } from "./vm";

describe("sizes as people write them", () => {
  test.each([
    ["512M", 512 * 1024 ** 2],
    ["10G", 10 * 1024 ** 3],
    ["1.5 GiB", 1.5 * 1024 ** 3],
    ["64k", 65_536],
    ["100", 100],
  ])("%s is %d bytes", (text, bytes) => {
    expect(parseBytes(text)).toBe(bytes);
  });

  test.each(["", "G", "-1G", "1e3", "0", "10 apples", "9999999999T", "1.0001K"])("%j is no size", (text) => {
    expect(byteSizeSchema.safeParse(text).success).toBe(false);
  });

  test("whole units are shown as they were asked for", () => {
    expect([2 ** 31, 256 * 1024 ** 2, 1536 * 1024 ** 2].map(formatBytes)).toEqual(["2 GiB", "256 MiB", "1.5 GiB"]);
  });
});

describe("SSH keys", () => {
  test("every type that ssh-keygen makes is a key; cut, bent or private it is none", () => {
    const folder = mkdtempSync(join(tmpdir(), "cumulus-keys-"));
    try {
      for (const [type, bits] of [
        ["ed25519", "256"],
        ["rsa", "2048"],
        ["ecdsa", "256"],
        ["ecdsa", "521"],
      ] as const) {
        const file = join(folder, `${type}${bits}`);
        execFileSync("ssh-keygen", ["-q", "-t", type, "-b", bits, "-N", "", "-f", file]);
        const line = readFileSync(`${file}.pub`, "utf8").trim();
        expect(sshPublicKeyProblem(line)).toBeUndefined();
        const [name = "", blob = ""] = line.split(" ");
        expect(sshPublicKeyProblem(`${name} ${blob.slice(0, 40)}`)).toBeDefined();
        expect(sshPublicKeyProblem(`ssh-dss ${blob}`)).toBeDefined();
        expect(sshPublicKeyProblem(`${line}\n${line}`)).toBe("A public key is one line.");
        expect(sshPublicKeyProblem(readFileSync(file, "utf8"))).toMatch(/private key/);
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  test("no text, whatever it holds, makes the check throw", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.uint8Array().map((bytes) => Buffer.from(bytes).toString("base64")),
        ),
        (text) => {
          const problem = sshPublicKeyProblem(`ssh-ed25519 ${text}`);
          expect(problem === undefined || problem.length > 0).toBe(true);
        },
      ),
    );
  });
});

test("no VM has the name of each network's router", () => {
  const { error } = vmNameSchema.safeParse("gateway");
  expect(error?.issues[0]?.message).toContain("name of the router");
  expect(vmNameSchema.safeParse("gateway-2").success).toBe(true);
});

test("a VM's name is a hostname label", () => {
  for (const name of ["a", "web-1", "0x", "a".repeat(63)]) expect(vmNameSchema.safeParse(name).success).toBe(true);
  for (const name of ["", "-a", "a-", "A", "a.b", "a_b", "a b", "ä", "a".repeat(64), "a\n"]) {
    expect(vmNameSchema.safeParse(name).success).toBe(false);
  }
});

describe("addresses", () => {
  test("text and number are the same address", () => {
    fc.assert(
      fc.property(fc.ipV4(), (address) => {
        expect(numberToIpv4(ipv4ToNumber(address))).toBe(address);
      }),
    );
  });

  test("the lowest free one of a range is given, until none is left", () => {
    const range = { first: ipv4ToNumber("10.0.0.2"), last: ipv4ToNumber("10.0.0.5") };
    expect(nextFreeAddress(range, new Set())).toBe("10.0.0.2");
    expect(nextFreeAddress(range, new Set(["10.0.0.2", "10.0.0.4"]))).toBe("10.0.0.3");
    expect(nextFreeAddress(range, new Set(["10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5"]))).toBeUndefined();
  });

  test("a range ends with the broadcast address", () => {
    expect(rangeOf("10.0.0.0/28").last).toBe(ipv4ToNumber("10.0.0.15"));
  });
});

describe("the timeline", () => {
  const at = (seconds: number) => new Date(Date.UTC(2030, 0, 1, 0, 0, seconds)).toISOString();
  const atRest = { isProgressing: false, isSettingUp: false, isByHand: false, failure: null };

  test("a first boot that goes on is under way though SSH answers; one that was never told of is not", () => {
    const milestones = { accepted: at(0), kernel: at(1), network: at(2), ssh: at(3) };
    const stateOf = (isSettingUp: boolean) =>
      timelineOf(milestones, { ...atRest, isSettingUp }).find(({ step }) => step === "first-boot")?.state;
    expect(stateOf(true)).toBe("active");
    expect(stateOf(false)).toBe("skipped");
  });

  test("says what is done, since when, what is under way and what was never seen", () => {
    const timeline = timelineOf({ accepted: at(0), image: at(0), started: at(2) }, { ...atRest, isProgressing: true });
    expect(timeline.map(({ state }) => state)).toEqual([
      "done",
      "done",
      "skipped",
      "done",
      "active",
      "pending",
      "pending",
      "pending",
    ]);
    expect(timeline[3]?.sinceStartMs).toBe(2_000);
  });

  test("of a system that is installed by hand, what comes after the start is shown when it is seen", () => {
    const stepsOf = (milestones: Milestones) =>
      timelineOf(milestones, { ...atRest, isByHand: true, isProgressing: true }).map(({ step }) => step);
    const began = { accepted: at(0), image: at(0), disk: at(1), started: at(2) };
    expect(stepsOf(began)).toEqual(["accepted", "image", "disk", "started"]);
    expect(stepsOf({ ...began, ssh: at(60) })).toEqual(["accepted", "image", "disk", "started", "ssh"]);
  });

  test("a failure marks the step that it happened at, with its reason", () => {
    const timeline = timelineOf({ accepted: at(0), image: at(0) }, { ...atRest, failure: "no space" });
    expect(timeline[2]).toMatchObject({ step: "disk", state: "failed", note: "no space" });
  });
});
