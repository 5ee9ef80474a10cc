import { createHash } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { hashPassword } from "../control/passwordHash";
import { maxFileBytes } from "../domain/fileContent";
import { noFirstBoot } from "../domain/firstBoot";
import { seedOf } from "../domain/seed";
import { MiniGuests } from "./testing/miniGuests";
import { TestHost, untilSeen } from "./testing/testHost";
import { until } from "./testing/until";

/** On a machine with much else to do. */
const answerMs = 120_000;

let host: TestHost;
let guests: MiniGuests;

beforeAll(async () => {
  host = await TestHost.make();
  guests = await MiniGuests.make(host);
});
afterAll(async () => {
  await host.close();
  await guests.close();
});

test("a real guest has the users, passwords, time zone and files that were asked for, and tells what it could not do", async () => {
  const agent = await host.agent();
  const spec = await guests.spec(1);
  const [link] = spec.interfaces;
  // Every byte in turn, as many as a file may have.
  const bytes = Buffer.from(Array.from({ length: maxFileBytes }, (_, index) => index % 256));
  if (!link) throw new Error("The VM has no network.");
  const seed = seedOf({
    ...link,
    uuid: spec.uuid,
    hostname: "web",
    // As an image may wrongly say: its default user is root.
    loginUser: "admin",
    publicKeys: [],
    userData: "#cloud-config\nruncmd: [echo OOPS; exit 3]\n",
    files: [{ path: "/srv/bytes", content: bytes.toString("base64"), encoding: "base64" }],
    further: [],
    userShell: "/bin/bash",
    firstBoot: {
      ...noFirstBoot,
      passwordHash: hashPassword("root's own"),
      users: [{ name: "ada", sudo: true, publicKeys: [], passwordHash: hashPassword("lövelace") }],
      timezone: "Asia/Kathmandu",
      packages: ["htop"],
    },
  });
  await agent.ensure({ ...spec, seed });
  await agent.start(1);
  const seen = await untilSeen(agent, 1, ({ milestones }) => milestones["first-boot"] !== undefined, 180_000);
  expect(seen.firstBoot.warnings).toEqual([
    { module: "packages", lines: ["mini has no package manager: htop not installed"] },
  ]);
  expect(seen.firstBoot.errors).toEqual([
    { module: "runcmd", lines: [expect.stringMatching(/^exit status 3: OOPS /)] },
  ]);

  const serial = await agent.openSerial(1);
  let shown = "";
  serial.on("data", (chunk: Buffer) => {
    shown += chunk.toString();
  });
  const answer = async (question: RegExp, text: string) => {
    await until(() => question.test(shown), answerMs);
    shown = "";
    serial.write(text);
  };
  const logIn = async (name: string, password: string) => {
    // A login that nobody has used yet begins anew when the first boot is over, and forgets what it was told.
    await until(() => {
      if (/web login: $/.test(shown)) {
        shown = "";
        serial.write(`${name}\r`);
      }
      return /Password: $/.test(shown);
    }, answerMs);
    await answer(/Password: $/, `${password}\r`);
  };
  await logIn("ada", "lövelace");
  await answer(/ada@web/, "sudo -n id -un; date +%z\r");
  await until(() => /root[\s\S]*\+0545/.test(shown), answerMs);
  await answer(/ada@web/, "sha256sum /srv/bytes\r");
  const hash = createHash("sha256").update(bytes).digest("hex");
  await until(() => shown.includes(`${hash}  /srv/bytes`), answerMs);
  await answer(/ada@web/, "exit\r");
  await logIn("root", "root's own");
  await until(() => /root@web/.test(shown), answerMs);
}, 900_000);
