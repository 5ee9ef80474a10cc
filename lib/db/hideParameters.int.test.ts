import { inspect } from "node:util";
import { sql } from "drizzle-orm";
import { pino } from "pino";
import { expect, onTestFinished, test } from "vitest";
import { testControlPlane } from "../control/testControlPlane";
import { type Database, openDatabase, openPool } from "./client";
import { postgresErrorOf } from "./errors";
import { backupRepositories } from "./schema/backups";

const plane = testControlPlane();
const secret = "correct horse battery";
const access = {
  place: {
    kind: "s3" as const,
    endpoint: "https://s3",
    bucket: "b",
    prefix: "",
    accessKeyId: "k",
    secretAccessKey: secret,
  },
  password: secret,
};

const insert = (db: Pick<Database, "insert">) => db.insert(backupRepositories).values({ name: "Far away", access });

/** All that anybody could write into a log of why a query failed. */
async function told(failing: Promise<unknown>): Promise<string> {
  const error: unknown = await failing.then(
    () => expect.fail("It did not fail."),
    (reason: unknown) => reason,
  );
  const lines: string[] = [];
  const log = pino({}, { write: (line) => void lines.push(line) });
  log.error({ err: error, error }, "it failed");
  return `${lines.join("")}${inspect(error, { depth: 9 })}${JSON.stringify(error)}${String(error)}`;
}

async function refuseInserts(): Promise<Database> {
  const db = openDatabase(plane.pool);
  await db.execute(sql`alter table backup_repositories add constraint refusal check (name = 'None')`);
  onTestFinished(async () => {
    await db.execute(sql`alter table backup_repositories drop constraint refusal`);
  });
  return db;
}

test("what a query was given is in nothing that is told of its failure, and what failed and why is", async () => {
  const db = await refuseInserts();
  const said = await told(Promise.resolve(insert(db)));
  expect(said).not.toContain(secret);
  expect(said).toContain("insert into");
  expect(said).toContain('violates check constraint \\"refusal\\"');
});

test("the same in a transaction, whose failure is told apart still", async () => {
  const db = await refuseInserts();
  const failing = db.transaction(async (tx) => insert(tx));
  expect(postgresErrorOf(await failing.catch((error: unknown) => error))).toEqual({
    code: "23514",
    constraint: "refusal",
  });
  expect(await told(failing)).not.toContain(secret);
});

test("the same when there is no database to ask", async () => {
  const pool = openPool({ databaseUrl: "postgres://nobody@127.0.0.1:1/none", dataDir: "/none", runDir: "/none" });
  onTestFinished(() => pool.end());
  const said = await told(Promise.resolve(insert(openDatabase(pool))));
  expect(said).not.toContain(secret);
  expect(said).toContain("ECONNREFUSED");
});
