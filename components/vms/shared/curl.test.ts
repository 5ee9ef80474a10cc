import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { curlCommand, shellWord } from "./curl";

/** The arguments that a real bash hands to the program, with `curl` replaced by a function that prints them. */
function argumentsInBash(command: string): string[] {
  const script = `curl() { printf '%s\\0' "$@"; }\n${command}\n`;
  const env: NodeJS.ProcessEnv = { NODE_ENV: "test", PATH: process.env.PATH, CUMULUS_TOKEN: "secret-token" };
  // Without SHLVL and with a socket as its input, bash takes itself for a remote shell's, which reads .bashrc.
  return execFileSync("bash", ["--norc", "-c", script], { env, encoding: "utf8" }).split("\0").slice(0, -1);
}

describe("the curl line", () => {
  test("reaches curl as the call that it stands for", () => {
    const body = { name: "calm-otter", image: "mini", size: "small" };
    const command = curlCommand({ origin: "http://127.0.0.1:3000", method: "POST", path: "/api/vms", body });
    const words = argumentsInBash(command);
    expect(words.slice(0, 6)).toEqual([
      "-sS",
      "http://127.0.0.1:3000/api/vms",
      "-H",
      "Authorization: Bearer secret-token",
      "-H",
      "Content-Type: application/json",
    ]);
    expect(JSON.parse(words.at(-1) ?? "")).toEqual(body);
  });

  test("names the method where curl would guess another", () => {
    const origin = "http://127.0.0.1:3000";
    expect(argumentsInBash(curlCommand({ origin, method: "DELETE", path: "/api/vms/7" }))).toContain("DELETE");
    expect(argumentsInBash(curlCommand({ origin, method: "POST", path: "/api/vms/7/start" }))).toContain("POST");
    expect(argumentsInBash(curlCommand({ origin, method: "GET", path: "/api/vms" }))).not.toContain("-X");
  });

  test("carries quotes, dollars, backslashes, exclamation marks and newlines unharmed", () => {
    const userData = "#!/bin/sh\necho \"it's $HOME\" `id` \\n !! 'x' ''\n";
    const command = curlCommand({ origin: "http://h:1", method: "POST", path: "/api/vms", body: { userData } });
    expect(JSON.parse(argumentsInBash(command).at(-1) ?? "")).toEqual({ userData });
  });

  test("any text is one shell word and comes back unchanged", () => {
    const text = fc.string({ unit: "binary", maxLength: 60 }).filter((value) => !value.includes("\0"));
    fc.assert(
      fc.property(fc.array(text, { minLength: 1, maxLength: 20 }), (texts) => {
        const printed = execFileSync("bash", ["-c", `printf '%s\\0' ${texts.map(shellWord).join(" ")}`], {
          encoding: "utf8",
        });
        expect(printed.split("\0").slice(0, -1)).toEqual(texts);
      }),
      { numRuns: 40 },
    );
  });
});
