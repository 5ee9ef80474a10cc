import { describe, expect, test } from "vitest";
import { packageNameOf, parseDepends } from "./deb";

describe("what apt-cache depends prints", () => {
  test("gives each package its dependencies, pre-dependencies too", () => {
    const output = "jq\n  Depends: libjq1\n  Depends: libc6\nlibjq1\n  PreDepends: libc6\n  Depends: libonig5\nlibc6\n";
    expect([...parseDepends(output)]).toEqual([
      ["jq", ["libjq1", "libc6"]],
      ["libjq1", ["libc6", "libonig5"]],
      ["libc6", []],
    ]);
  });

  test("of alternatives the first is taken, also when a later one is virtual", () => {
    const output = [
      "libpam0g",
      " |Depends: debconf",
      " |Depends: other",
      "  Depends: <debconf-2.0>",
      "    cdebconf",
      "    debconf",
      "  Depends: libc6",
    ];
    expect(parseDepends(output.join("\n")).get("libpam0g")).toEqual(["debconf", "libc6"]);
  });

  test("a virtual package stands for its first provider; providers of a real one are no dependencies", () => {
    const output = [
      "a",
      "  Depends: <mail-agent>",
      "    exim",
      "    postfix",
      "  Depends: usr-is-merged",
      "    usrmerge",
    ];
    expect(parseDepends(output.join("\n")).get("a")).toEqual(["exim", "usr-is-merged"]);
  });
});

test("a package file's name begins with the package's name", () => {
  expect(packageNameOf("/tmp/x_y/qemu-guest-agent_1%3a7.2+dfsg-7_amd64.deb")).toBe("qemu-guest-agent");
});
