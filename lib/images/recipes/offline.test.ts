import { describe, expect, test } from "vitest";
import { type Recipe, recipeSchema, whyNotByHost } from "../../domain/recipe";
import { exampleRecipes } from "./examples";
import { quoted } from "./guestScripts";
import { customizationOf } from "./offline";

const recipe = (fields: object): Recipe => recipeSchema.parse({ name: "r", title: "R", ...fields });

describe("what virt-customize is told", () => {
  test("contents are files of ours, never part of a command", () => {
    const content = "a\nrun /etc/passwd\n";
    const { commands, files } = customizationOf(recipe({ steps: [{ type: "file", path: "/srv/a", content }] }), "/w");
    expect(commands).toEqual(["mkdir /srv", "upload /w/step-1:/srv/a", "chmod 0644:/srv/a"]);
    expect(files).toEqual([{ name: "step-1", content: Buffer.from(content) }]);
  });

  test("a file that is given as base64 is the bytes that it stands for", () => {
    const bytes = Buffer.from([0, 255, 10, 39]);
    const steps = [{ type: "file", path: "/srv/a", content: bytes.toString("base64"), encoding: "base64" }];
    expect(customizationOf(recipe({ steps }), "/w").files).toEqual([{ name: "step-1", content: bytes }]);
    expect(customizationOf(recipe({ place: "first-boot", steps }), "/w").files[0]?.content).toContain(
      `echo '${bytes.toString("base64")}' | base64 -d >'/srv/a'`,
    );
  });

  test("a hash's dollars are no variables of Perl", () => {
    const steps = [{ type: "root-password", passwordHash: "$6$salt$abc./" }];
    expect(customizationOf(recipe({ steps }), "/w").commands).toEqual([
      "edit /etc/shadow:s,^root:[^:]*:,root:\\$6\\$salt\\$abc./:,",
    ]);
  });

  test("for the first boot only a script is laid down, so that images of any processor can be changed", () => {
    const steps = [{ type: "packages", packages: ["htop"] }];
    const atFirstBoot = recipe({ place: "first-boot", steps });
    const { commands, files } = customizationOf(atFirstBoot, "/w");
    expect(commands.at(-1)).toBe("chmod 0700:/var/lib/cloud/scripts/per-instance/50-r");
    expect(files[0]?.content).toContain("apt-get install -y --no-install-recommends 'htop'");
    expect(whyNotByHost(atFirstBoot, "aarch64", "x86_64")).toBeNull();
    expect(whyNotByHost(recipe({ steps }), "aarch64", "x86_64")).toContain("first-boot");
    expect(whyNotByHost(recipe({ steps }), "aarch64", "aarch64")).toBeNull();
  });
});

test("a path or a name that would end a command, or lead elsewhere, is refused", () => {
  const paths = ["relative", "/a b", "/a\nrun /x", "/a:/b", "/a,b", "/srv/../etc/x", "/srv/.", "/.."];
  for (const path of paths) {
    expect(
      recipeSchema.safeParse({ name: "r", title: "R", steps: [{ type: "file", path, content: "" }] }).success,
    ).toBe(false);
  }
  for (const path of ["/srv/..a", "/.a/b.", "/a/..."]) {
    expect(recipe({ steps: [{ type: "file", path, content: "" }] }).steps).toHaveLength(1);
  }
  const hash = { type: "root-password", passwordHash: "$6$s$x\nrun /x" };
  expect(recipeSchema.safeParse({ name: "r", title: "R", steps: [hash] }).success).toBe(false);
});

test("a step is refused in a place where it can't be done", () => {
  const steps = [{ type: "console", expect: "login: " }];
  expect(recipeSchema.safeParse({ name: "r", title: "R", place: "disk", steps }).error?.issues[0]?.message).toBe(
    'A step "console" is done in place console, and this recipe\'s is disk.',
  );
});

test("any text is one word of shell", () => {
  expect(quoted("it's $(x)")).toBe("'it'\\''s $(x)'");
});

test("the examples that come with Cumulus are recipes", () => {
  expect(exampleRecipes().map(({ name, place }) => [name, place])).toEqual([
    ["os-cloud-welcome", "disk"],
    ["root-password", "disk"],
    ["serial-console", "console"],
  ]);
});
