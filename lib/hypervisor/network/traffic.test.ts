import { expect, test } from "vitest";
import { trafficOf } from "./traffic";

const netDev = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:       0       0    0    0    0     0          0         0        0       0    0    0    0     0       0          0
  t7n0: 1500000    1200    0    0    0     0          0         0   300000     900    0    0    0     0       0          0
 t17n0:       1       2    0    0    0     0          0         0        3       4    0    0    0     0       0          0
`;

test("a VM receives what its tap sends; interfaces that have no tap are left out", () => {
  expect(trafficOf(netDev, 7, ["net0", "net1"])).toEqual([
    { id: "net0", receivedBytes: 300_000, receivedPackets: 900, sentBytes: 1_500_000, sentPackets: 1200 },
  ]);
  expect(trafficOf(netDev, 1, ["net0"])).toEqual([]);
  expect(trafficOf("", 7, ["net0"])).toEqual([]);
});
