import { access, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";
import { until } from "../e2e/stack";
import { openPool } from "../lib/db/client";
import { findPostmaster } from "../lib/db/embedded";
import { openTcp, startTestDatabase } from "../lib/db/testDatabase";
import { pathsOf, readSettings } from "../lib/env";
import { installBuiltImage } from "../lib/images/testing/builtImage";
import { projectDir } from "../lib/paths";
import { freePort } from "../lib/system/testing/freePort";
import { signal } from "../lib/system/testing/signal";
import { readHealth } from "../lib/up/consoleClient";
import { type Part, pidFileOf, readPidFile } from "../lib/up/pidFile";
import { requireArch } from "../lib/up/preconditions";

/** The commands themselves, as a user gives them, on a data folder of their own. */

const readyLine = /^Cumulus is ready: (http:\/\/\S+) \(sign-in link, good once\)$/m;

let dataDir: string;
let env: Record<string, string>;
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "cumulus-up-"));
  env = {
    CUMULUS_DATA_DIR: dataDir,
    PORT: String(await freePort()),
    CUMULUS_HYPERVISOR: "fake",
    // Never bridges on the machine that runs the tests.
    CUMULUS_NETWORK: "user",
    NODE_ENV: "production",
  };
});
afterAll(async () => {
  await npm(["run", "down"]);
  for (const path of [dataDir, settings().runDir]) await rm(path, { recursive: true, force: true });
});

const settings = () => readSettings({ NODE_ENV: "production", ...env });
const isHealthy = async () => (await readHealth(settings()))?.isOk === true;
const pidOf = async (part: Part) => (await readPidFile(pidFileOf(part, settings())))?.pid;

/** Runs npm in the checkout, without a terminal or stdin. Answers what it printed and its exit code. */
function npm(args: string[], extra: Record<string, string> = {}) {
  return execa("npm", args, { cwd: projectDir, env: { ...env, ...extra }, all: true, stdin: "ignore", reject: false });
}

/** The cookies that a browser is given while it follows a link's redirects. */
async function cookiesOnTheWay(link: string): Promise<string> {
  let cookies = "";
  for (let url: string | null = link; url !== null; ) {
    const answer: Response = await fetch(url, { redirect: "manual" });
    cookies += answer.headers.get("set-cookie") ?? "";
    const next = answer.headers.get("location");
    url = next === null ? null : new URL(next, url).href;
  }
  return cookies;
}

/** As the administrator. */
async function api(path: string, body?: object) {
  const token = await readFile(join(dataDir, "admin-token"), "utf8");
  const response = await fetch(`http://127.0.0.1:${env.PORT}${path}`, {
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    ...(body && { method: "POST", body: JSON.stringify(body) }),
  });
  return response.json();
}

async function statuses(): Promise<string[]> {
  const { items }: { items: { status: string }[] } = await api("/api/vms");
  return items.map(({ status }) => status);
}

async function expectNothingLeft() {
  for (const part of ["up", "console", "agent"] as const) expect(await pidOf(part)).toBeUndefined();
  expect(await findPostmaster(settings())).toBeUndefined();
}

test("up prints its progress and ends with one line that holds the sign-in link, which works", async () => {
  const up = await npm(["run", "up", "--", "--detach"]);
  expect(up.all).toMatch(/^ {2}ok {2}database +\d+\.\d s$/m);
  expect(up.exitCode).toBe(0);
  const link = readyLine.exec(up.all)?.[1] ?? "";
  expect(up.all.trim().endsWith("(sign-in link, good once)")).toBe(true);
  expect(await cookiesOnTheWay(link)).toContain("session");
}, 300_000);

test("a second up finds all running, says so, and changes nothing", async () => {
  const before = await Promise.all((["up", "console", "agent"] as const).map(pidOf));
  const again = await npm(["run", "up"]);
  expect(again.exitCode).toBe(0);
  expect(again.all).toMatch(readyLine);
  expect(await Promise.all((["up", "console", "agent"] as const).map(pidOf))).toEqual(before);
});

test("console, agent and database that are killed come back", async () => {
  const killed = {
    console: await pidOf("console"),
    agent: await pidOf("agent"),
    database: await findPostmaster(settings()),
  };
  for (const pid of Object.values(killed)) signal(pid, "SIGKILL");
  await until("all parts are new and Cumulus is healthy", async () => {
    const now = {
      console: await pidOf("console"),
      agent: await pidOf("agent"),
      database: await findPostmaster(settings()),
    };
    const isNew = (Object.keys(killed) as (keyof typeof killed)[]).every(
      (part) => now[part] && now[part] !== killed[part],
    );
    return isNew && (await isHealthy());
  });
});

test("after the supervisor was killed, up takes over; Ctrl-C then ends it with all parts, and VMs if they are to end with it", async () => {
  const database = await findPostmaster(settings());
  signal(await pidOf("up"), "SIGKILL");
  await until("the supervisor is gone", async () => (await pidOf("up")) === undefined);
  await until("the console answers without it", isHealthy);
  const up = npm(["run", "up"], { CUMULUS_STOP_VMS: "1" });
  let said = "";
  up.all.on("data", (text: Buffer) => {
    said += text.toString();
  });
  await until("it is ready again", () => readyLine.test(said), 120_000);
  expect(await findPostmaster(settings())).toBe(database);
  for (const name of ["one", "two"]) await api("/api/vms", { name, image: "mini", size: "nano" });
  await until("both VMs run", async () => (await statuses()).join() === "running,running");
  await api("/api/vms/2/pause", {});
  await until("one is paused", async () => (await statuses()).includes("paused"));
  // What Ctrl-C in a terminal does; npm passes it on.
  signal(await pidOf("up"), "SIGINT");
  expect((await up).exitCode).toBe(0);
  expect(said).toContain("the next start brings VMs back");
  const machines: object[] = JSON.parse(await readFile(join(dataDir, "fake-vms.json"), "utf8"));
  const off = { observation: { state: "stopped", stoppedBy: "request" } };
  expect(machines).toMatchObject([off, off]);
  await expectNothingLeft();
}, 180_000);

test("down after a killed supervisor leaves nothing running", async () => {
  expect((await npm(["run", "up", "--", "-d"])).exitCode).toBe(0);
  await until("both VMs run again", async () => (await statuses()).join() === "running,running");
  signal(await pidOf("up"), "SIGKILL");
  const down = await npm(["run", "down"]);
  expect(down.exitCode).toBe(0);
  expect(down.all).toContain("Cumulus is stopped");
  await expectNothingLeft();
  for (const args of [[], ["--", "--vms"]]) {
    const again = await npm(["run", "--silent", "down", ...args]);
    expect(again).toMatchObject({ all: expect.stringMatching(/^Cumulus does not run\..*$/), exitCode: 0 });
  }
}, 180_000);

test("a start that fails says why in one line, without a stack, exits with 1 and leaves nothing running", async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(Number(env.PORT), "127.0.0.1", resolve));
  try {
    for (const args of [[], ["--", "--detach"]]) {
      const up = await npm(["run", "--silent", "up", ...args]);
      expect(up.exitCode).toBe(1);
      expect(up.all).toContain(`Port ${env.PORT} on 127.0.0.1 is taken by another program`);
      expect(up.all).not.toMatch(/^\s+at /m);
    }
  } finally {
    await new Promise((resolve) => other.close(resolve));
  }
  await expectNothingLeft();
  const { all } = await npm(["run", "--silent", "up"], { PORT: "nonsense" });
  expect(all).toContain("The environment variable PORT is not usable");
  expect(all).not.toMatch(/^\s+at /m);
});

test("DATABASE_URL names the database that is used, and no embedded one is made", async () => {
  const database = await startTestDatabase();
  const tcp = await openTcp(database.settings);
  const otherDir = await mkdtemp(join(tmpdir(), "cumulus-up-"));
  const extra = { CUMULUS_DATA_DIR: otherDir, DATABASE_URL: tcp.url };
  try {
    await installBuiltImage(pathsOf({ dataDir: otherDir, runDir: "" }), { name: "mini", arch: requireArch() });
    const up = await npm(["run", "up", "--", "-d"], extra);
    expect(up.all).toMatch(readyLine);
    expect(await readdir(otherDir)).not.toContain("postgres");
    const pool = openPool(database.settings, { maxConnections: 1 });
    expect((await pool.query("select count(*)::int as hosts from hosts")).rows).toEqual([{ hosts: 1 }]);
    await pool.end();
  } finally {
    await npm(["run", "down"], extra);
    await tcp.close();
    await database.stop();
    const { runDir } = readSettings({ NODE_ENV: "production", CUMULUS_DATA_DIR: otherDir });
    for (const path of [otherDir, runDir]) await rm(path, { recursive: true, force: true });
  }
}, 300_000);

test("a database of DATABASE_URL that doesn't answer is said, without its password", async () => {
  const up = await npm(["run", "up"], { DATABASE_URL: `postgres://someone:secret@127.0.0.1:${await freePort()}/x` });
  expect(up.exitCode).toBe(1);
  expect(up.all).toContain("The database of DATABASE_URL does not answer");
  expect(up.all).not.toContain("secret");
  await expectNothingLeft();
});

test("an older Node.js is told so before anything else happens", async () => {
  const pretend = 'data:text/javascript,Object.defineProperty(process,"version",{value:"v18.20.4"})';
  for (const script of ["up", "run", "check", "test"]) {
    const { stderr, exitCode } = await execa(
      process.execPath,
      ["--import", pretend, join("scripts", `${script}.mjs`)],
      {
        cwd: projectDir,
        reject: false,
      },
    );
    expect(stderr).toMatch(/^Cumulus needs Node\.js 20\.19 or newer, and this is v18\.20\.4: /);
    expect(exitCode).toBe(1);
  }
});

test("the logs are JSON lines in files of their own", async () => {
  for (const name of ["up", "console", "agent"]) {
    const lines = (await readFile(join(dataDir, "logs", `${name}.log`), "utf8")).split("\n");
    const entries = lines.filter((line) => line.startsWith("{")).map((line) => JSON.parse(line));
    expect(entries[0]).toMatchObject({ name, level: 30 });
  }
});

test("commands that are called otherwise than they are meant say how, and do nothing", async () => {
  const nowhere = { CUMULUS_DATA_DIR: join(dataDir, "nowhere") };
  const noFolder = /nowhere is no data folder of Cumulus: .*CUMULUS_DATA_DIR/;
  const calls: [args: string[], said: string | RegExp, extra?: Record<string, string>][] = [
    [["down", "--", "--vm"], "Unknown option '--vm'. Usage: npm run down [-- --vms]"],
    [["uninstall", "--", "now"], "Unexpected argument 'now'. Usage: npm run uninstall [-- --yes]"],
    [["sign-in-link", "--", "me"], "Unexpected argument 'me'. Usage: npm run sign-in-link"],
    [["import-templates"], "Give one folder: npm run import-templates -- DIR"],
    [["uninstall"], noFolder, nowhere],
    [["sign-in-link"], noFolder, nowhere],
  ];
  await Promise.all(
    calls.map(async ([args, said, extra]) => {
      const { all, exitCode } = await npm(["run", "--silent", ...args], extra);
      if (typeof said === "string") expect(all).toBe(said);
      else expect(all).toMatch(said);
      expect(exitCode).toBe(1);
    }),
  );
});

test("uninstall removes what was there, and nothing before it is told to", async () => {
  const { runDir } = settings();
  expect((await npm(["run", "uninstall"])).all).toContain("Nothing was changed.");
  expect(await readdir(dataDir)).toContain("admin-token");
  const gone = await npm(["run", "uninstall", "--", "--yes"]);
  expect(gone.all).toContain("Cumulus is removed.");
  expect(gone.exitCode).toBe(0);
  for (const path of [dataDir, runDir]) await expect(access(path)).rejects.toThrow("ENOENT");
});
