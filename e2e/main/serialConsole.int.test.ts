import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Vm } from "../../lib/domain/vm";
import { machinePaths } from "../../lib/hypervisor/machinePaths";
import { type Link, openWebSocketLink } from "../bench/link";
import { bootMs, type Stack, startStack, until } from "../stack";

let stack: Stack;
let vm: Vm;
let socat: ChildProcessWithoutNullStreams;
let dashboard: Link;
const shown = { socat: "", dashboard: "" };

beforeAll(async () => {
  stack = await startStack();
  const { status, body } = await stack.api<Vm>("POST", "/api/vms", { name: "typed", image: "mini", size: "nano" });
  expect(status).toBe(201);
  vm = body;
  await until("it is ready", async () => (await stack.api<Vm>("GET", `/api/vms/${vm.id}`)).body.isReady, bootMs);
}, 60_000 + bootMs);
afterAll(async () => {
  socat?.kill();
  dashboard?.close();
  await stack?.stop();
});

const bothShow = (text: string) =>
  until(`both show ${text}`, () => Object.values(shown).every((one) => one.includes(text)), 60_000);

test("socat on the host, as the docs have it, and a terminal of the dashboard share the serial port: each sees what the other types", async () => {
  // socat is to have a terminal, which it makes raw.
  const { serial } = machinePaths(stack.settings, vm.id);
  const command = `socat -,rawer,escape=0x1d unix-connect:${serial}`;
  socat = spawn("script", ["--quiet", "--return", "--command", command, "/dev/null"]);
  socat.stdout.on("data", (chunk: Buffer) => {
    shown.socat += chunk.toString("latin1");
  });
  const url = `${stack.url.replace("http", "ws")}/api/vms/${vm.id}/serial`;
  dashboard = await openWebSocketLink(url, { authorization: `Bearer ${stack.token}` }, (bytes) => {
    shown.dashboard += bytes.toString("latin1");
  });
  await bothShow("typed login: ");
  socat.stdin.write("ada");
  await bothShow("login: ada");
  dashboard.send(Buffer.from("-lovelace"));
  await bothShow("login: ada-lovelace");
  socat.stdin.write("\r");
  await bothShow("Password: ");
  dashboard.send(Buffer.from("\r"));
  await bothShow("Login incorrect");

  const ended = once(socat, "exit");
  socat.stdin.write("\x1d");
  expect(await ended).toEqual([0, null]);
  const { length } = shown.dashboard;
  await until("another prompt", () => shown.dashboard.trimEnd().endsWith("login:"), 60_000);
  dashboard.send(Buffer.from("grace"));
  await until("the dashboard goes on", () => shown.dashboard.slice(length).includes("grace"), 60_000);
});
