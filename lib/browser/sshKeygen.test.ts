import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { sshPublicKeyProblem } from "../domain/sshKey";
import { generateSshKey } from "./sshKeygen";

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "cumulus-keygen-"));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Writes the private key as a user would and has OpenSSH read it. */
function publicKeyByOpenSsh(privateKey: string, name: string): string {
  const file = join(folder, name);
  writeFileSync(file, privateKey, { mode: 0o600 });
  return execFileSync("ssh-keygen", ["-y", "-f", file], { encoding: "utf8" }).trim();
}

// Comments of every length, so that each amount of padding occurs.
test.each(["", "a", "ab", "abc", "abcd", "abcde", "abcdef", "abcdefg", "laptop of Zoë"])(
  "OpenSSH reads the private key and finds the same public key (comment %j)",
  async (comment) => {
    const pair = await generateSshKey(comment);
    expect(publicKeyByOpenSsh(pair.privateKey, `key-${comment.length}`)).toBe(pair.publicKey.trim());
    expect(sshPublicKeyProblem(pair.publicKey)).toBeUndefined();
  },
);

test("OpenSSH signs with the private key what the public key verifies", async () => {
  const pair = await generateSshKey("signer");
  const key = join(folder, "signer");
  const message = join(folder, "message");
  const allowed = join(folder, "allowed");
  writeFileSync(key, pair.privateKey, { mode: 0o600 });
  writeFileSync(message, "hello");
  writeFileSync(allowed, `me ${pair.publicKey}\n`);
  execFileSync("ssh-keygen", ["-Y", "sign", "-f", key, "-n", "file", message], { stdio: "ignore" });
  const verdict = execFileSync(
    "ssh-keygen",
    ["-Y", "verify", "-f", allowed, "-I", "me", "-n", "file", "-s", `${message}.sig`],
    { input: "hello", encoding: "utf8" },
  );
  expect(verdict).toContain('Good "file" signature for me');
});

test("no two keys are alike", async () => {
  const [first, second] = [await generateSshKey("same"), await generateSshKey("same")];
  expect(first.publicKey).not.toBe(second.publicKey);
});
