import { appendFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openPool } from "../../lib/db/client";
import type { Firewall } from "../../lib/domain/firewall";
import type { Network } from "../../lib/domain/network";
import type { Vm } from "../../lib/domain/vm";
import { networkNames } from "../../lib/hypervisor/network/names";
import { LabNamespace } from "../../lib/hypervisor/testing/lab/lab";
import { projectDir } from "../../lib/paths";
import { BridgeHost } from "../bridgeHost";
import { type Stack, startStack, until } from "../stack";

let lab: BridgeHost;
let stack: Stack;

beforeAll(async () => {
  lab = await BridgeHost.make();
  stack = await startStack({ network: "bridge", host: lab.host });
}, 240_000);
afterAll(async () => {
  await stack?.stop();
  await lab?.remove();
});

/** What the doctor says on the host; exit status 1, of a disagreement, rejects. */
async function doctor(): Promise<string> {
  const { dataDir, runDir } = stack.settings;
  const env = [`CUMULUS_DATA_DIR=${dataDir}`, `CUMULUS_RUN_DIR=${runDir}`];
  const main = `${projectDir}/lib/doctor/main.ts`;
  return lab.host.run("env", ["--chdir", projectDir, ...env, process.execPath, "--import", "tsx", main]);
}

const ssh = { direction: "ingress", protocol: "tcp", ports: [{ from: 22, to: 22 }], cidrs: [], firewalls: [] };

test("the doctor finds nothing on a host with all that networks have, then what was never applied and what was undone", async () => {
  const { body: network } = await stack.api<Network>("POST", "/api/networks", { name: "lab", cidr: "10.77.0.0/24" });
  const { body: bastion } = await stack.api<Firewall>("POST", "/api/firewalls", { name: "bastion", rules: [ssh] });
  const rules = [ssh, { ...ssh, protocol: "udp", firewalls: [bastion.id], cidrs: ["fd00::/8", "10.0.0.0/8"] }];
  const { body: firewall } = await stack.api<Firewall>("POST", "/api/firewalls", { name: "two rules", rules });
  const asked = { image: "mini", size: "nano", network: network.name, firewalls: [firewall.id, bastion.id] };
  const { status, body: vm } = await stack.api<Vm>("POST", "/api/vms?wait=ready", { ...asked, name: "walled" });
  expect(status, JSON.stringify(vm)).toBe(201);
  await stack.api("POST", `/api/vms/${vm.id}/forwards`, { hostAddress: "127.0.0.1", hostPort: 2222, port: 22 });
  const limit = { ingressBytesPerSecond: 1_250_000, egressBytesPerSecond: 2_500_000 };
  await stack.api("PUT", `/api/vms/${vm.id}/interfaces/net0/limit`, limit);
  expect(await doctor()).toMatch(/^No disagreement: 1 VM, /);

  // What the agent and the console would put right.
  await stack.kill("console");
  await stack.kill("agent");
  const pool = openPool(stack.settings, { maxConnections: 1 });
  await pool.query("delete from vm_firewalls where vm_id = $1 and firewall_id = $2", [vm.id, firewall.id]);
  await pool.query("update addresses set ipv4 = '10.77.0.99' where vm_id = $1", [vm.id]);
  const names = networkNames(stack.settings.runDir);
  const inner = new LabNamespace(names.namespace);
  await inner.run("nft", ["flush", "set", "inet", "cumulus", "forwards"]);
  const folder = join(names.folder, String(network.id));
  await appendFile(join(folder, "dhcp-hosts"), "52:54:00:00:09:09,10.77.0.98,stranger\n");
  const end = Math.floor(Date.now() / 1000) + 540;
  await writeFile(join(folder, "leases"), `${end} 52:54:00:00:09:09 10.77.0.98 stranger *\n`);
  const told = await doctor().catch((error: { stdout: string }) => error.stdout);
  expect(told).toContain(
    "The firewall on net0 of VM walled (id 1) is otherwise in the database than its host was told",
  );
  expect(told).toContain(
    `The set forwards of the nft table inet cumulus in ${inner.name} lacks "10.77.0.2 . tcp . 22"`,
  );

  expect(told).toContain("The address 10.77.0.98 is leased to 52:54:00:00:09:09, which no VM has, nor had lately");
  expect(told).toContain(`${folder}/dhcp-hosts, by which network ${network.id} has its names and addresses, has `);
  expect(told).toContain("The address 10.77.0.2 of net0 of VM walled (id 1) is free in the database");
  expect(told).toContain(`The database holds 10.77.0.99 of network ${network.id} for VM walled (id 1)`);

  // As it says: what nobody but people put right.
  await writeFile(join(folder, "leases"), "");
  await pool.query("delete from addresses where network_id = $1 and ipv4 = '10.77.0.99'", [network.id]);
  await pool.end();
  await stack.startAgent();
  await stack.startConsole();
  const reserved = await stack.api("POST", `/api/networks/${network.id}/addresses`, { ipv4: vm.ipv4 });
  expect(reserved.status).toBe(201);
  await until("all agrees again", async () => (await doctor().catch(() => "")).startsWith("No disagreement"), 240_000);
}, 600_000);
