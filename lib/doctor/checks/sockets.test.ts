import { expect, test } from "vitest";
import { type Planted, qemu, the, toldAfter } from "../testing/planted";

const planted: Planted[] = [
  [
    "a socket was removed",
    (s) => s.files.delete("/run/c/vms/1/vnc.sock"),
    /can't be reached by its socket \/run\/c\/vms\/1\/vnc\.sock/,
  ],
  [
    "a socket was replaced",
    (s) => the(qemu(s, 1).listeners ?? undefined).unix.shift(),
    /can't be reached by its socket/,
  ],
  [
    "a QEMU listens on the network",
    (s) => the(qemu(s, 1).listeners ?? undefined).tcp.push("0.0.0.0:5900"),
    /listens on 0\.0\.0\.0:5900, and may on 127\.0\.0\.1:20001, 127\.0\.0\.1:8001 only/,
  ],
  [
    "the SSH forward is missing",
    (s) => the(qemu(s, 1).listeners ?? undefined).tcp.splice(0),
    /does not listen on 127\.0\.0\.1:20001/,
  ],
  [
    "a forward is missing",
    (s) => the(qemu(s, 1).listeners ?? undefined).tcp.pop(),
    /does not listen on 127\.0\.0\.1:8001, which is to lead to it/,
  ],
  [
    "a QEMU still listens for a forward that was removed",
    (s) => (the(s.vms.find(({ id }) => id === 1)).forwardedPorts = []),
    /listens on 127\.0\.0\.1:8001, and may on 127\.0\.0\.1:20001 only/,
  ],
];

test.each(planted)("it is told when %s", (_what, plant, told) => {
  expect(toldAfter(plant)).toContainEqual(expect.stringMatching(told));
});
