import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Lab } from "../../hypervisor/testing/lab/lab";
import { host, network } from "../../hypervisor/testing/lab/labNetworks";
import { projectDir } from "../../paths";

let lab: Lab;
const state = { networks: [network(1, [host(1, 1), host(2, 1)]), network(2, [])], firewalls: [], limits: [] };

beforeAll(async () => {
  lab = await Lab.make();
  await lab.startAgent();
  await lab.apply(state);
  // It would put right what the tests make wrong.
  await lab.killAgent();
});
afterAll(() => lab.close());

async function told(): Promise<string[]> {
  const program = join(projectDir, "lib", "doctor", "testing", "lookAtNetworks.ts");
  const { dataDir, runDir } = lab.settings;
  const argv = [process.execPath, "--import", "tsx", program, JSON.stringify({ dataDir, runDir })];
  const { stdout } = await execa("nsenter", [`--net=${lab.host.path}`, "--", ...argv], { cwd: projectDir });
  return JSON.parse(stdout);
}

test("of networks as the agent makes them nothing is told", async () => {
  expect(await told()).toEqual([]);
});

test("what is missing and what is too much is told", async () => {
  await lab.inner.ip(
    "link delete dev t2n0",
    "tuntap add dev t9n0 mode tap",
    "link set dev t1n0 type bridge_slave isolated on",
  );
  await lab.inner.run("nft", ["add", "element", "bridge", "cumulus", "ipv4", "{ t1n0 . 192.168.1.3 }"]);
  await lab.host.ip("route delete 192.168.2.0/24");
  const messages = await told();
  for (const what of [
    /t2n0 .* is gone/,
    /t9n0 .* belongs to no network/,
    /t1n0 .* cut off from the others/,
    /let t1n0 192\.168\.1\.3 send/,
    /no route to 192\.168\.2\.0/,
  ]) {
    expect(messages).toContainEqual(expect.stringMatching(what));
  }
  expect(messages).toHaveLength(5);
});
