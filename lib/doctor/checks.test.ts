import { expect, test } from "vitest";
import { disagreementsIn, lasting } from "./checks";
import { addManifest, addSnapshot, type HealthySnapshot, machine, qemu, removeQemu, the, vm } from "./testing/planted";
import { file, folder, healthySnapshot, imageSha256, nowMs } from "./testSnapshot";

test("where everything agrees nothing is told", () => {
  expect(disagreementsIn(healthySnapshot())).toEqual([]);
});

const innocent: [what: string, change: (snapshot: HealthySnapshot) => void][] = [
  [
    "a VM is on its way from off to running",
    (s) => {
      Object.assign(vm(s, 3), { desired: "running", isUnderWay: true });
      s.openOperations.push({ id: 5, kind: "start", vmId: 3, isVmDeleted: false, dueFromMs: nowMs - 1000 });
    },
  ],
  [
    "a VM crashed and says so",
    (s) => {
      Object.assign(vm(s, 1), { observed: "crashed" });
      machine(s, 1).recordedProcess = null;
      removeQemu(s, 1);
    },
  ],
  [
    "the guest waits for disk space",
    (s) => {
      vm(s, 1).observed = "paused";
      qemu(s, 1).qmp = { answers: true, uuid: vm(s, 1).uuid, status: "io-error", hasBlockJob: false };
    },
  ],
  [
    "a file is being replaced",
    (s) => s.files.set("/data/vms/1/state.json.0a1b2c3d.tmp", { ...file(0o600), modifiedAtMs: nowMs - 5 }),
  ],
  [
    "an operation waits for a host that is away",
    (s) => {
      s.isHostAway = true;
      s.openOperations.push({ id: 5, kind: "stop", vmId: 1, isVmDeleted: false, dueFromMs: nowMs - 3_600_000 });
    },
  ],
  [
    "a download takes hours",
    (s) => {
      s.files.set("/data/staging/image-9", { ...folder(0o700), modifiedAtMs: nowMs - 3_600_001 });
      s.openOperations.push({ id: 9, kind: "image-download", vmId: null, isVmDeleted: false, dueFromMs: null });
    },
  ],
  [
    "there is an ISO",
    (s) => {
      const sha256 = "d".repeat(64);
      s.images.push({
        id: 3,
        name: "installer",
        kind: "iso",
        sha256,
        fileBytes: 7,
        variablesSha256: null,
        isBeingRemoved: false,
      });
      s.files.set(`/data/images/${sha256}.iso`, { ...file(0o440), sizeBytes: 7 });
      addManifest(s, sha256, "installer");
    },
  ],
  [
    "two images share a file",
    (s) => {
      s.images.push({ ...the(s.images[0]), id: 2, name: "mini-again" });
      addManifest(s, imageSha256, "mini-again");
    },
  ],
  [
    "an image is being removed, and its file is gone already",
    (s) =>
      s.images.push({
        ...{
          id: 4,
          name: "going",
          kind: "disk",
          sha256: "e".repeat(64),
          fileBytes: 1,
          variablesSha256: null,
          isBeingRemoved: true,
        },
      }),
  ],
  [
    "a system was installed on an empty disk",
    (s) => {
      Object.assign(the(s.vms[0]), { imageSha256: null });
      Object.assign(the(s.machines[0]), {
        spec: { ...the(s.machines[0]?.spec), imageSha256: null },
        disk: { opens: true, backingFile: null, damage: null },
      });
    },
  ],
  ["a VM has a snapshot", (s) => addSnapshot(s)],
  ["processes can't be looked at", (s) => Object.assign(s, { processes: null })],
  [
    "an image was just put there",
    (s) => s.files.set(`/data/images/${"c".repeat(64)}.qcow2`, { ...file(0o440), modifiedAtMs: nowMs - 2000 }),
  ],
];

test.each(innocent)("nothing is told when %s", (_what, change) => {
  const snapshot = healthySnapshot();
  change(snapshot);
  expect(disagreementsIn(snapshot)).toEqual([]);
});

test("what is over at the second look is not told, and what lasts is told as it is then", () => {
  const first = [
    { check: "observations", subject: "1", message: "gone soon" },
    { check: "operations", subject: "5", message: "5 minutes" },
  ];
  const second = [
    { check: "operations", subject: "5", message: "6 minutes" },
    { check: "disks", subject: "2 disk", message: "new" },
  ];
  expect(lasting(first, second)).toEqual([{ check: "operations", subject: "5", message: "6 minutes" }]);
});
