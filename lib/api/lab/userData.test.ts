import { expect, test } from "vitest";
import { parse } from "yaml";
import { rootUserData } from "./userData";

const key = "ssh-ed25519 AAAA os-cloud-user";

test("in lab mode root has the lab's password and the key, and SSH takes both", () => {
  expect(parse(rootUserData(key, true))).toMatchObject({
    disable_root: false,
    ssh_pwauth: true,
    chpasswd: { expire: false, users: [{ name: "root", password: "123456", type: "text" }] },
    write_files: [
      { path: "/root/.ssh/authorized_keys", permissions: "0600", content: `${key}\n` },
      { content: "PermitRootLogin yes\nPasswordAuthentication yes\n" },
    ],
  });
});

test("without lab mode there is no password, and SSH takes none", () => {
  for (const sshKey of [key, null]) {
    const text = rootUserData(sshKey, false);
    expect(text).not.toMatch(/password|pwauth|passwd/i);
    expect(text).not.toContain("123456");
  }
  expect(parse(rootUserData(key, false)).write_files).toHaveLength(1);
});

test("without a key nothing is written where keys are", () => {
  expect(rootUserData(null, true)).not.toContain("authorized_keys");
});
