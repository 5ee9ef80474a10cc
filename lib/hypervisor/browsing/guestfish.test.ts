import { existsSync } from "node:fs";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CommandError, Guestfish } from "./guestfish";

/** Speaks as guestfish does: it prints what a command gives, and the marks. Told to hang, it stops in the middle of an answer; told to die, it goes on without its machine. */
const script = `#!/bin/sh
launched=yes
while read -r line; do
  case "$launched$line" in
    -echo-daemon*|-say*) echo "libguestfs: error: say: call launch before using this function" >&2; continue ;;
  esac
  case "$line" in
    -die) launched=; echo "libguestfs: error: appliance closed the connection unexpectedly." >&2 ;;
    -echo-daemon*) echo "\${line#-echo-daemon }" ;;
    -half) half=yes; echo "half an answer"; echo "libguestfs: error: no more" >&2 ;;
    -hang) echo "half an answer"; kill -STOP $$ ;;
    -fail) echo "libguestfs: error: no" >&2 ;;
    -quit) exit 1 ;;
    "-complain and quit") echo "no such machine" >&2; exit 1 ;;
    -say*) echo "\${line#-say }" ;;
    -echo*) echo "\${line#-echo }" ;;
    echo*) echo "\${line#echo }"; [ -z "$half" ] || : > "$0.half" ;;
  esac
done
`;
const longMs = 60_000;

let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "guestfish-"));
  await writeFile(join(dir, "guestfish"), script);
  await chmod(join(dir, "guestfish"), 0o755);
});
afterAll(() => rm(dir, { recursive: true, force: true }));

const start = () => Guestfish.start("/nowhere", { PATH: `${dir}:${process.env.PATH}` }, null);

test("a command gives what it printed, and that alone", async () => {
  const fish = start();
  try {
    expect(await fish.run("say one", longMs)).toBe("one\n");
    expect(await fish.run("say two", longMs)).toBe("two\n");
  } finally {
    await fish.close();
  }
});

test("of many commands each has its own answer, whatever it says, and a failed one has none", async () => {
  const fish = start();
  try {
    const answers = await fish.answers(["say one,", "fail", "say three"], longMs);
    expect(answers.map((answer) => answer.toString())).toEqual(["one,\n", "", "three\n"]);
  } finally {
    await fish.close();
  }
});

test("a command that fails in the middle of its answer is told as failed, also when all that it said is heard at once", async () => {
  const fish = start();
  try {
    expect(await fish.run("say ready", longMs)).toBe("ready\n");
    const half = fish.run("half", longMs);
    // Nothing is heard as long as this goes on.
    const deadline = Date.now() + longMs;
    while (!existsSync(join(dir, "guestfish.half")) && Date.now() < deadline) {}
    await expect(half).rejects.toThrow("no more");
  } finally {
    await fish.close();
  }
});

test.for<[how: string, act: (fish: Guestfish) => Promise<unknown>]>([
  ["in a command", (fish) => fish.run("die", longMs)],
  ["between many", (fish) => fish.answers(["say one", "die", "say three"], longMs)],
])(
  "when its machine ends %s, that is told as its end and not as a failed command, then and afterwards",
  async ([, act]) => {
    const fish = start();
    try {
      for (const carryOut of [act, () => fish.run("say next", longMs)]) {
        const error = await carryOut(fish).catch((error: unknown) => error);
        expect(error).toMatchObject({ code: "unavailable" });
        expect(error).not.toBeInstanceOf(CommandError);
      }
    } finally {
      await fish.close();
    }
  },
);

test.for(["the next one first", "its end first"])(
  "after a command that takes too long, %s: all who wait are told, and it can be closed",
  { timeout: 30_000 },
  async (order: string) => {
    const fish = start();
    expect(await fish.run("say ready", longMs)).toBe("ready\n");
    const next = () => fish.run("say next", longMs).catch((error: unknown) => error);
    const late = fish.run("hang", 100).catch((error: Error) => error);
    const after = late.then(async () => {
      if (order === "the next one first") return Promise.all([next(), fish.close()]);
      const closed = fish.close();
      return Promise.all([next(), closed]);
    });
    expect(await late).toMatchObject({ code: "unavailable", message: expect.stringContaining("it took too long") });
    expect((await after)[0]).toMatchObject({ code: "unavailable" });
  },
);

test("a command that is being carried out is told when it is closed", async () => {
  const fish = start();
  expect(await fish.run("say ready", longMs)).toBe("ready\n");
  const running = fish.run("hang", longMs).catch((error: unknown) => error);
  await fish.close();
  expect(await running).toMatchObject({ code: "unavailable", message: expect.stringContaining("it was closed") });
}, 30_000);

test("one that ends is told with its last words, or as such", async () => {
  const silent = start();
  await expect(silent.run("quit", longMs)).rejects.toThrow(/looked into: it ended$/);
  const talkative = start();
  await expect(talkative.run("complain and quit", longMs)).rejects.toThrow(/looked into: no such machine$/);
});
