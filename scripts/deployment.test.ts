import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { readSettings } from "../lib/env";
import { projectDir } from "../lib/paths";
import { neededPackages } from "../lib/up/systemPackages";

const read = (path: string) => readFileSync(join(projectDir, path), "utf8");

/** The part of the Compose Specification that we use; whatever else is in the file is a mistake. */
const serviceSchema = z.strictObject({
  image: z.string().optional(),
  build: z.string().optional(),
  depends_on: z
    .record(z.string(), z.strictObject({ condition: z.enum(["service_healthy", "service_started"]) }))
    .optional(),
  environment: z.record(z.string(), z.string()),
  healthcheck: z
    .strictObject({
      test: z.array(z.string()),
      interval: z.string().regex(/^\d+s$/),
      timeout: z.string().regex(/^\d+s$/),
      retries: z.number().int(),
    })
    .optional(),
  privileged: z.boolean().optional(),
  init: z.boolean().optional(),
  ports: z.array(z.string()).optional(),
  volumes: z.array(z.string().regex(/^[a-z]+:\/[a-z/]+$/)),
  stop_grace_period: z.string().optional(),
  restart: z.literal("unless-stopped"),
});
const composeSchema = z.strictObject({
  services: z.strictObject({ db: serviceSchema, cumulus: serviceSchema }),
  volumes: z.record(z.string(), z.null()),
});

const compose = composeSchema.parse(parse(read("compose.yaml")));

test("the compose file starts the database first, and publishes on loopback alone", () => {
  const { db, cumulus } = compose.services;
  expect(cumulus.depends_on).toEqual({ db: { condition: "service_healthy" } });
  expect(db.healthcheck?.test[0]).toBe("CMD");
  expect(db.ports).toBeUndefined();
  for (const port of cumulus.ports ?? []) expect(port).toMatch(/^127\.0\.0\.1:/);
});

test("each volume that is mounted is declared, and the data folder is one", () => {
  const mounted = Object.values(compose.services).flatMap(({ volumes }) => volumes.map((one) => one.split(":")));
  expect(mounted.map(([name]) => name).sort()).toEqual(Object.keys(compose.volumes).sort());
  expect(mounted.map(([, path]) => path)).toContain(/CUMULUS_DATA_DIR=(\S+)/.exec(read("Dockerfile"))?.[1]);
});

test("what the file .env may say comes to Cumulus, and says nothing where it isn't set", () => {
  const environment = Object.entries(compose.services.cumulus.environment);
  const passed = (env: Record<string, string>) => {
    const values = environment.map(([name, value]) => [
      name,
      value.replace(/\$\{(\w+)(?::-(.*?)|:\?.*?)\}/g, (_all, from: string, otherwise = "") => env[from] || otherwise),
    ]);
    return Object.fromEntries(values) as Record<string, string>;
  };
  const env = {
    ...{ CUMULUS_NETWORK: "bridge", CUMULUS_LAB: "1", CUMULUS_ALLOWED_HOSTS: "cloud.example", LOG_LEVEL: "debug" },
    ...{ CUMULUS_IMAGE_MIRROR: "https://mirror.example", CUMULUS_IMAGE_HOSTS: "images.lan" },
  };
  expect(passed(env)).toMatchObject(env);
  const { DATABASE_URL, LOG_LEVEL, ...unset } = passed({});
  expect(LOG_LEVEL).toBe("info");
  expect(readSettings({ NODE_ENV: "test", ...unset })).toEqual(readSettings({ NODE_ENV: "test" }));
  expect(DATABASE_URL).toMatch(/^postgres:/);
});

test("no password is written in the compose file", () => {
  expect(compose.services.db.environment.POSTGRES_PASSWORD).toMatch(/^\$\{DB_PASSWORD:\?/);
  expect(compose.services.cumulus.environment.DATABASE_URL).toContain(":${DB_PASSWORD:?");
});

test("the file that holds it goes neither into the image nor into the repository", () => {
  for (const file of [".dockerignore", ".gitignore"]) expect(read(file).split("\n")).toContain(".env");
});

test("VMs are shut down with the container, within the time that it is given", () => {
  expect(read("Dockerfile")).toMatch(/^ENV .*\bCUMULUS_STOP_VMS=1$/m);
  expect(Number.parseInt(compose.services.cumulus.stop_grace_period ?? "", 10)).toBeGreaterThan(100);
});

test("before the computer goes down, VMs are shut down after the console has ended and before the agent does", () => {
  const unit = read("deploy/systemd/cumulus-vms.service");
  expect(unit).toMatch(/^After=cumulus-agent\.service$/m);
  expect(unit).toMatch(/^Before=cumulus-console\.service$/m);
  // Neither restarted nor stopped with the agent: that stops no VM.
  expect(unit).not.toMatch(/^(Requires|BindsTo|PartOf)=/m);
});

test("the container has the packages that `npm run up` would install", () => {
  const installed = /apt-get install([\s\S]*?)\n\n/.exec(read("Dockerfile"))?.[1]?.split(/[\s\\]+/) ?? [];
  expect(installed).toEqual(expect.arrayContaining(neededPackages("x86_64", true)));
});

const units = readdirSync(join(projectDir, "deploy", "systemd")).map((name) => join("deploy", "systemd", name));

test.each(units)("%s runs a program that is built", async (unit) => {
  const { entries }: { entries: object } = await import(join(projectDir, "scripts", "setup", "bundle.mjs"));
  const programs = [...read(unit).matchAll(/^Exec\w+=.* dist\/(\S+)\.js$/gm)].map(([, name]) => name);
  expect(programs.length).toBeGreaterThan(0);
  for (const name of programs) expect(Object.keys(entries)).toContain(name);
});

const canVerify = existsSync("/usr/bin/systemd-analyze") && existsSync("/usr/bin/node");

test.runIf(canVerify).each(units)("systemd takes %s as it is written", (unit) => {
  const args = ["verify", "--man=no", "--recursive-errors=no", join(projectDir, unit)];
  expect(execFileSync("systemd-analyze", args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] })).toBe("");
});
