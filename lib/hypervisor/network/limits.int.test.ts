import { afterAll, beforeAll, expect, test } from "vitest";
import type { NetworkState } from "../../domain/hostNetwork";
import { Lab, type LabNamespace } from "../testing/lab/lab";
import { host, network } from "../testing/lab/labNetworks";

const one = network(1, [host(1, 1), host(2, 1)]);
const open: NetworkState = { networks: [one], firewalls: [], limits: [] };
const bytes = 4_000_000;

let lab: Lab;
let limited: LabNamespace;
let other: LabNamespace;

beforeAll(async () => {
  lab = await Lab.make();
  await lab.startAgent();
  await lab.apply(open);
  [limited, other] = await Promise.all([lab.guest(host(1, 1), one), lab.guest(host(2, 1), one)]);
  const source = `require("node:net").createServer((socket) => socket.on("error", () => {}).end(Buffer.alloc(${bytes}))).listen(5001, () => console.log("ready"))`;
  for (const guest of [limited, other]) await guest.start(process.execPath, ["-e", source]);
});
afterAll(async () => {
  await lab.close();
});

const bytesPerSecond = 1_000_000;
/** What may come at once, on top of the rate. A bucket of nft's holds what comes in a second as well. */
const burstBytes = { received: 131_072, sent: bytesPerSecond + 131_072 };

/** Bytes per second at which a guest reads what another sends, beyond the first burst. */
async function rate(to: LabNamespace, address: string, burst: number): Promise<number> {
  return Number(
    await to.node(`
    const start = performance.now(); let count = 0;
    require("node:net").connect(5001, "${address}").on("data", (data) => (count += data.length))
      .on("end", () => say(Math.round((count - ${burst}) / (performance.now() - start) * 1000)));`),
  );
}

const isShaped = async () => (await lab.inner.run("tc", ["qdisc", "show", "dev", "t1n0"])).includes("tbf");
const isPoliced = async () =>
  (await lab.inner.run("nft", ["list", "map", "bridge", "cumulus", "rates"])).includes("t1n0");

test("an interface with a limit gets and sends that much and no more, live, and nothing of it is left without", async () => {
  const [limitedAddress, otherAddress] = ["192.168.1.2", "192.168.1.3"];
  const [least, most] = [0.6 * bytesPerSecond, 1.1 * bytesPerSecond];
  expect([await isShaped(), await isPoliced()]).toEqual([false, false]);
  const limit = { vmId: 1, interfaceId: "net0", ingressBytesPerSecond: bytesPerSecond, egressBytesPerSecond: null };
  await lab.apply({ ...open, limits: [limit] });
  const received = await rate(limited, otherAddress, burstBytes.received);
  expect(received).toBeGreaterThan(least);
  expect(received).toBeLessThan(most);
  expect([await isShaped(), await isPoliced()]).toEqual([true, false]);
  await lab.apply({
    ...open,
    limits: [{ ...limit, ingressBytesPerSecond: null, egressBytesPerSecond: bytesPerSecond }],
  });
  const sent = await rate(other, limitedAddress, burstBytes.sent);
  expect(sent).toBeGreaterThan(least);
  expect(sent).toBeLessThan(most);
  expect([await isShaped(), await isPoliced()]).toEqual([false, true]);
  await lab.apply(open);
  expect([await isShaped(), await isPoliced()]).toEqual([false, false]);
  expect(await rate(other, limitedAddress, 0)).toBeGreaterThan(0);
}, 120_000);
