import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Operation } from "../../lib/domain/operation";
import type { Vm } from "../../lib/domain/vm";
import { findDnsmasqs } from "../../lib/hypervisor/network/dnsmasqProcess";
import { networkNames } from "../../lib/hypervisor/network/names";
import { BridgeHost } from "../bridgeHost";
import { createSshClient, type SshClient } from "../sshClient";
import { bootMs, type Stack, startStack, until } from "../stack";

let lab: BridgeHost;
let ssh: SshClient;
let stack: Stack;

beforeAll(async () => {
  lab = await BridgeHost.make();
  ssh = await createSshClient();
  stack = await startStack({ network: "user", host: lab.host });
}, 240_000);
afterAll(async () => {
  // An agent with bridges takes them along.
  if (stack) await changeTo("bridge");
  await stack?.stop();
  await ssh?.remove();
  await lab?.remove();
});

const machineId = "cat /etc/machine-id";

async function read({ id }: Pick<Vm, "id">): Promise<Vm> {
  return (await stack.api<Vm>("GET", `/api/vms/${id}`)).body;
}

/** By the command that the dashboard shows. */
async function answers(vm: Vm): Promise<string> {
  const { ssh: connection } = await read(vm);
  let answer = "";
  const isAnswered = async () => {
    answer = await ssh.run(connection.command, machineId, lab.host).catch(() => "");
    return answer !== "";
  };
  await until(`${vm.name} answers ${connection.command}`, isAnswered, bootMs);
  return answer;
}

async function changeTo(network: "user" | "bridge"): Promise<void> {
  await stack.kill("agent");
  await stack.startAgent({ CUMULUS_NETWORK: network });
}

/** What of the bridges is on the host. */
async function bridgesLeft(): Promise<string[]> {
  const { namespacePath, folder, hostLink } = networkNames(stack.settings.runDir);
  const isThere = {
    namespace: existsSync(namespacePath),
    folder: existsSync(folder),
    link: (await lab.host.run("ip", ["-brief", "link"])).includes(hostLink),
    rules: (await lab.host.run("nft", ["list", "tables"])).includes(hostLink),
    dnsmasq: (await findDnsmasqs(folder)).length > 0,
  };
  return Object.entries(isThere).flatMap(([name, holds]) => (holds ? [name] : []));
}

async function restart({ id }: Vm): Promise<void> {
  for (const act of ["stop", "start"]) {
    const { body } = await stack.api<Operation>("POST", `/api/vms/${id}/${act}`, {});
    const ended = async () => (await stack.api<Operation>("GET", `/api/operations/${body.id}`)).body;
    await until(`${act} is done`, async () => (await ended()).finishedAt !== null, 120_000);
    expect(await ended()).toMatchObject({ status: "done" });
  }
}

test("a host gets bridges and loses them again: VMs that run answer all the while, and move at their next start", async () => {
  const asked = { name: "mover", image: "mini", size: "nano", sshKeys: [ssh.publicKey] };
  const { status, body: vm } = await stack.api<Vm>("POST", "/api/vms?wait=ready", asked);
  expect(status, JSON.stringify(vm)).toBe(201);
  const id = await answers(vm);

  await changeTo("bridge");
  await until("it is told", async () => (await read(vm)).network.nextDriver === "bridge");
  expect(await read(vm)).toMatchObject({ ssh: { host: "127.0.0.1" }, network: { driver: "user" } });
  expect(await answers(vm)).toBe(id);
  await restart(vm);
  expect(await read(vm)).toMatchObject({ ssh: { host: vm.ipv4, port: 22 }, network: { driver: "bridge" } });
  expect(await answers(vm)).toBe(id);

  await changeTo("user");
  await until("it is told", async () => (await read(vm)).network.nextDriver === "user");
  expect(await bridgesLeft()).toEqual(["namespace", "folder", "link", "rules", "dnsmasq"]);
  expect(await read(vm)).toMatchObject({ ssh: { host: vm.ipv4 }, network: { driver: "bridge" } });
  expect(await answers(vm)).toBe(id);
  await restart(vm);
  expect(await read(vm)).toMatchObject({ ssh: { host: "127.0.0.1" }, network: { driver: "user" } });
  await until("no VM needs the bridges any more, and they are gone", async () => (await bridgesLeft()).length === 0);
  expect(await answers(vm)).toBe(id);
}, 600_000);

test("what a removal of bridges left that was cut short goes when the agent starts in user mode again", async () => {
  const { folder } = networkNames(stack.settings.runDir);
  await lab.host.run("nft", ["add", "table", "inet", networkNames(stack.settings.runDir).hostLink]);
  await mkdir(folder, { recursive: true });
  expect(await bridgesLeft()).toEqual(["folder", "rules"]);
  await changeTo("user");
  await until("it is gone", async () => (await bridgesLeft()).length === 0);
}, 60_000);
