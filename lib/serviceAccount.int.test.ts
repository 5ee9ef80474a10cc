import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ensureServiceAccount, type ServiceAccount, serviceEnvironment, serviceRunner } from "./serviceAccount";

const isRoot = process.getuid?.() === 0;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "cumulus-service-"));
  await chmod(folder, 0o711);
  await mkdir(join(folder, "hidden", "project", "node_modules"), { recursive: true });
  await writeFile(join(folder, "hidden", "project", "package.json"), "{}");
});
afterEach(() => rm(folder, { recursive: true }));

/** What a program that runs as the service can tell of itself. */
async function report(account: ServiceAccount | undefined, root: string) {
  const runner = await serviceRunner(account, { runDir: join(folder, "run") }, root);
  const code = `
    const status = require("fs").readFileSync("/proc/self/status", "utf8");
    const read = (name) => new RegExp("^" + name + ":\\\\s*(.*)$", "m").exec(status)[1];
    const package = require("fs").readFileSync(process.argv[1], "utf8");
    console.log(JSON.stringify({ uid: process.getuid(), gids: process.getgroups(), pid: process.pid, cwd: process.cwd(),
      rights: read("CapBnd"), noNewPrivileges: read("NoNewPrivs"), package }));`;
  const [file, ...args] = runner.command([runner.node, "-e", code, runner.pathOf(join(root, "package.json"))]);
  const child = execa(file, args, { cwd: root, env: serviceEnvironment({}), extendEnv: false });
  const { stdout } = await child;
  return { ...JSON.parse(stdout), isSamePid: JSON.parse(stdout).pid === child.pid };
}

const root = () => join(folder, "hidden", "project");

test.runIf(isRoot)("a service has no rights but those of its user, and keeps its pid", async () => {
  const account = await ensureServiceAccount();
  const found = await report(account, root());
  expect(found).toMatchObject({
    uid: account?.uid,
    gids: [account?.gid],
    cwd: root(),
    rights: "0000000000000000",
    noNewPrivileges: "1",
    isSamePid: true,
  });
});

test.runIf(isRoot)(
  "a service runs from a checkout that its user can't reach, and nobody else sees it there",
  async () => {
    const account = await ensureServiceAccount();
    await chmod(join(folder, "hidden"), 0o700);
    const found = await report(account, root());
    expect(found).toMatchObject({ uid: account?.uid, cwd: join(folder, "run", "app"), package: "{}", isSamePid: true });
    const { stdout } = await execa("ls", [join(folder, "run", "app")]);
    expect(stdout).toBe("");
  },
);

test.runIf(isRoot)("a checkout whose files themselves can't be read is refused with what to do", async () => {
  const account = await ensureServiceAccount();
  await chmod(join(root(), "package.json"), 0o600);
  await expect(serviceRunner(account, { runDir: join(folder, "run") }, root())).rejects.toThrow(
    `The system user cumulus can't read ${root()}: run \`chmod -R go+rX ${root()}\``,
  );
});

test("nothing of the caller's environment reaches a service but where programs lie", () => {
  expect(serviceEnvironment({ PORT: "1" })).toEqual({ NODE_ENV: "production", PATH: process.env.PATH, PORT: "1" });
});
