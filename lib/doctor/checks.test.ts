import { expect, test } from "vitest";
import { disagreementsIn, lasting } from "./checks";
import type { LayerFact } from "./snapshot";
import { file, folder, healthySnapshot, imageSha256, nowMs, processFact } from "./testSnapshot";

type Healthy = ReturnType<typeof healthySnapshot>;
type Fact<T> = T | undefined;

function the<T>(fact: Fact<T>): T {
  if (fact === undefined) throw new Error("The healthy snapshot holds no such thing.");
  return fact;
}
const vm = (snapshot: Healthy, id: number) => the(snapshot.vms.find((one) => one.id === id));
const machine = (snapshot: Healthy, id: number) => the(snapshot.machines.find((one) => one.id === id));
const qemu = (snapshot: Healthy, id: number) => the(snapshot.processes.find(({ vmId }) => vmId === id));
const removeQemu = (snapshot: Healthy, id: number) =>
  snapshot.processes.splice(
    snapshot.processes.findIndex(({ vmId }) => vmId === id),
    1,
  );

/** A snapshot with id 5 of VM 1, whose disk builds on its layer. */
function addSnapshot(snapshot: Healthy, change: Partial<LayerFact> = {}): void {
  const id = "b".repeat(16);
  const manifest = { parent: null, imageSha256 };
  snapshot.layers.push({ id, manifest, hasFile: true, damage: null, ...change });
  snapshot.snapshotFolders.push({ id: 5, layerId: id });
  Object.assign(machine(snapshot, 1), {
    record: { disk: "disk-00000000000000cc.qcow2", uefiVars: "uefi-vars.fd", parent: id, cutDisk: null },
    disk: { opens: true, backingFile: "/data/layers/another", damage: null },
  });
  snapshot.files.set("/data/vms/1/disk-00000000000000cc.qcow2", file(0o600, 1_900_000_001));
  snapshot.files.delete("/data/vms/1/disk.qcow2");
  snapshot.files.set(`/data/layers/${id}.qcow2`, file(0o440));
  snapshot.files.set(`/data/layers/${id}.json`, file(0o600));
}

/** A manifest of an image, as it lies beside its file. */
function addManifest(snapshot: Healthy, sha256: string, name: string): void {
  const path = `/data/images/${sha256}.${name}.json`;
  snapshot.files.set(path, file(0o600));
  snapshot.manifests.push({ path, image: { sha256, name }, modifiedAtMs: nowMs - 3600_000 });
}

test("where everything agrees nothing is told", () => {
  expect(disagreementsIn(healthySnapshot())).toEqual([]);
});

const planted: [what: string, plant: (snapshot: Healthy) => void, told: RegExp][] = [
  ["a VM's folder is gone", (s) => s.machines.splice(2, 1), /The folder \/data\/vms\/3 of VM vm-3 \(id 3\) is gone/],
  ["a spec can't be read", (s) => (machine(s, 1).spec = null), /machine\.json of VM vm-1 .* can't be read/],
  [
    "a spec and its row differ",
    (s) => (the(machine(s, 3).spec ?? undefined).ipv4 = "192.168.0.9"),
    /address 192\.168\.0\.9 and the database gives it 192\.168\.0\.4/,
  ],
  ["a disk is gone", (s) => (machine(s, 3).disk = null), /disk \/data\/vms\/3\/disk\.qcow2 of VM vm-3 .* is gone/],
  [
    "a disk does not open",
    (s) => (machine(s, 1).disk = { opens: false, reason: "Image is corrupt" }),
    /does not open \(Image is corrupt\)/,
  ],
  [
    "a disk builds on another file",
    (s) => (machine(s, 1).disk = { opens: true, backingFile: "/etc/shadow", damage: null }),
    /builds on \/etc\/shadow instead of/,
  ],
  [
    "a disk builds on nothing",
    (s) => (machine(s, 1).disk = { opens: true, backingFile: null, damage: null }),
    /builds on no image instead of/,
  ],
  [
    "a disk is damaged",
    (s) => Object.assign(machine(s, 3).disk ?? {}, { damage: "ERROR cluster 3" }),
    /vms\/3\/disk\.qcow2 .* is damaged \(ERROR cluster 3\)/,
  ],
  [
    "the record of a disk can't be read",
    (s) => (machine(s, 1).record = null),
    /vms\/1\/disk\.json of VM vm-1 .* can't be read/,
  ],
  [
    "a disk builds on a layer that is gone",
    (s) => Object.assign(machine(s, 1).record ?? {}, { parent: "c".repeat(16) }),
    /There is no layer \/data\/layers\/c+\.qcow2, on which the disk of VM vm-1 .* builds/,
  ],
  ["a layer's file is gone", (s) => addSnapshot(s, { hasFile: false }), /The layer \/data\/layers\/b+\.qcow2 is gone/],
  ["a layer has no manifest", (s) => addSnapshot(s, { manifest: null }), /has no manifest that can be read/],
  ["a layer is damaged", (s) => addSnapshot(s, { damage: "ERROR" }), /b+\.qcow2 is damaged \(ERROR\)/],
  [
    "a layer builds on one that is gone",
    (s) => addSnapshot(s, { manifest: { parent: "c".repeat(16), imageSha256 } }),
    /There is no layer \/data\/layers\/c+\.qcow2, on which the layer b+ builds/,
  ],
  [
    "a snapshot lacks its memory",
    (s) => {
      addSnapshot(s);
      the(s.snapshotFolders[0]).layerId = null;
    },
    /The snapshot in \/data\/snapshots\/5 can't be read or lacks its memory/,
  ],
  [
    "a half made snapshot was never swept",
    (s) => s.files.set("/data/snapshots/.making-6", folder(0o700)),
    /\/data\/snapshots\/\.making-6 was left half made/,
  ],
  [
    "a disk that is on no record lies in a VM's folder",
    (s) => s.files.set("/data/vms/3/disk-00000000000000aa.qcow2", file(0o600, 1_900_000_003)),
    /disk-00000000000000aa\.qcow2 is no file of Cumulus'/,
  ],
  [
    "an image file is gone",
    (s) => s.files.delete(`/data/images/${imageSha256}.qcow2`),
    /image .* on which the disk of VM vm-1 .* builds is gone/,
  ],
  ["a QEMU belongs to no VM", (s) => s.vms.splice(1, 1), /QEMU process 102 .* is no VM of the database: .* kill 102/],
  [
    "a QEMU has another VM's folder",
    (s) => (qemu(s, 1).vmId = 3),
    /QEMU process 101 has the uuid of VM vm-1 .* and the sockets of VM id 3/,
  ],
  [
    "another QEMU answers on a VM's sockets",
    (s) => (qemu(s, 1).qmp = { answers: true, uuid: "other", status: "running" }),
    /was started with the uuid .* and answers with other/,
  ],
  [
    "a VM has two QEMUs",
    (s) => s.processes.push({ ...processFact(1), pid: 900 }),
    /VM vm-1 \(id 1\) has 2 QEMU processes \(101, 900\)/,
  ],
  ["a VM that runs has no QEMU", (s) => removeQemu(s, 1), /said to be running and no QEMU process is its/],
  [
    "a VM that is off has a QEMU",
    (s) => s.processes.push({ ...processFact(3), pid: 103 }),
    /VM vm-3 \(id 3\) is to be off and runs as process 103/,
  ],
  [
    "a paused guest is said to run",
    (s) => (qemu(s, 1).qmp = { answers: true, uuid: vm(s, 1).uuid, status: "paused" }),
    /said to be running and QEMU is "paused"/,
  ],
  [
    "a silent QEMU is said to run",
    (s) => (qemu(s, 1).qmp = { answers: false, reason: "no answer" }),
    /said to be running and QEMU is silent/,
  ],
  [
    "a QEMU whose guest is off is left to wait",
    (s) => (qemu(s, 1).qmp = { answers: true, uuid: vm(s, 1).uuid, status: "shutdown" }),
    /said to be running and QEMU is "shutdown"/,
  ],
  [
    "nobody looks",
    (s) => (vm(s, 2).observedAtMs = nowMs - 60_000),
    /Nobody has looked after VM vm-2 \(id 2\) for 60 s/,
  ],
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
    /listens on 0\.0\.0\.0:5900, and may on 127\.0\.0\.1:20001 only/,
  ],
  [
    "the SSH forward is missing",
    (s) => the(qemu(s, 1).listeners ?? undefined).tcp.splice(0),
    /does not listen on 127\.0\.0\.1:20001/,
  ],
  ["a name is given twice", (s) => (vm(s, 2).name = "vm-1"), /the name vm-1 to VM vm-1 \(id 1\) and VM vm-1 \(id 2\)/],
  ["an address is given twice", (s) => (vm(s, 2).ipv4 = vm(s, 1).ipv4), /the address 192\.168\.0\.2 of network 1 to/],
  ["a MAC is given twice", (s) => (vm(s, 2).mac = vm(s, 1).mac), /the MAC 52:54:00:00:00:01 to/],
  ["a port is given twice", (s) => (vm(s, 2).sshHostPort = 20_001), /the SSH port 20001 of host 1 to/],
  [
    "a folder is a copy",
    (s) => s.machines.push({ ...machine(s, 1), id: 9 }),
    /folders of VM vm-1 \(id 1\) and VM id 9 both name the uuid/,
  ],
  [
    "two QEMUs have one disk",
    (s) => (qemu(s, 2).disks = qemu(s, 1).disks),
    /processes 101 and 102 have the same disk \/data\/vms\/1\/disk\.qcow2/,
  ],
  [
    "two QEMUs have one socket",
    (s) => qemu(s, 2).sockets.push("/run/c/vms/1/qmp.sock"),
    /have the same socket \/run\/c\/vms\/1\/qmp\.sock/,
  ],
  [
    "the folder of a deleted VM is left",
    (s) => s.files.set("/data/vms/7", folder(0o710)),
    /\/data\/vms\/7 belongs to no VM of the database/,
  ],
  [
    "the sockets of a deleted VM are left",
    (s) => s.files.set("/run/c/vms/7", folder(0o710)),
    /\/run\/c\/vms\/7 belongs to no VM/,
  ],
  [
    "a folder was left half made",
    (s) => s.files.set("/data/vms/.making-3", folder(0o700)),
    /\/data\/vms\/\.making-3 belongs to no VM/,
  ],
  [
    "a file that isn't ours lies in a VM's folder",
    (s) => s.files.set("/data/vms/1/notes.txt", file(0o600)),
    /\/data\/vms\/1\/notes\.txt is no file of Cumulus'/,
  ],
  [
    "a file on its way was left",
    (s) => s.files.set("/data/staging/seed-abc", { ...folder(0o700), modifiedAtMs: nowMs - 3_600_001 }),
    /seed-abc has been on its way for more than an hour/,
  ],
  [
    "a machine's file has another ISO in its drive than the database",
    (s) => Object.assign(the(s.machines[0]?.spec ?? undefined), { cdromSha256: "d".repeat(64) }),
    /the ISO in its drive d+ and the database/,
  ],
  [
    "a disk that began empty builds on a file",
    (s) => {
      Object.assign(the(s.vms[0]), { imageSha256: null });
      Object.assign(the(s.machines[0]?.spec ?? undefined), { imageSha256: null });
    },
    /is to build on nothing/,
  ],
  [
    "an image of the database has no file",
    (s) =>
      s.images.push({
        ...{ id: 2, name: "debian-12", kind: "disk", sha256: "b".repeat(64), fileBytes: 1, isBeingRemoved: false },
      }),
    /of the image debian-12 is gone/,
  ],
  [
    "an image file was cut short",
    (s) => (the(s.files.get(`/data/images/${imageSha256}.qcow2`)).sizeBytes = 5),
    /of the image mini has 5 bytes and must have 17000000/,
  ],
  ["a manifest is gone", (s) => s.manifests.splice(0), /image mini has no manifest/],
  [
    "an image has only the manifest of another of the same file",
    (s) => s.images.push({ ...the(s.images[0]), id: 2, name: "mini-again" }),
    /image mini-again has no manifest/,
  ],
  [
    "a manifest names an image of a known file that is not in the database",
    (s) => addManifest(s, imageSha256, "forgotten"),
    /forgotten\.json is no image of the database: the console notes such files/,
  ],
  [
    "an image file is not in the database",
    (s) => s.files.set(`/data/images/${"c".repeat(64)}.qcow2`, file(0o440)),
    /c\.qcow2 is no image of the database: remove it/,
  ],
  [
    "an operation stays open",
    (s) => s.openOperations.push({ id: 5, kind: "stop", vmId: 1, isVmDeleted: false, dueFromMs: nowMs - 361_000 }),
    /Operation 5 \(stop of VM vm-1 \(id 1\)\) has been open for 6 minutes/,
  ],
  [
    "an operation of a deleted VM is open",
    (s) => s.openOperations.push({ id: 5, kind: "stop", vmId: 8, isVmDeleted: true, dueFromMs: nowMs }),
    /Operation 5 .* is open though its VM is deleted/,
  ],
  [
    "a VM's state names a foreign process",
    (s) => (machine(s, 3).recordedProcess = { pid: 1, program: "systemd" }),
    /state\.json says that process 1 is the QEMU of VM vm-3 .*, and it is systemd/,
  ],
  [
    "a pid file names a foreign process",
    (s) => s.pidFiles.push({ path: "/run/c/console.pid", process: { pid: 1, program: "systemd" } }),
    /console\.pid names process 1, which is systemd and no part of Cumulus/,
  ],
  [
    "a disk can be read by others",
    (s) => (the(s.files.get("/data/vms/1/disk.qcow2")).mode = 0o644),
    /disk\.qcow2 is open to more users than need it \(0644, at most 0600\): run chmod 0600/,
  ],
  [
    "a secret can be read by others",
    (s) => (the(s.files.get("/data/admin-token")).mode = 0o640),
    /admin-token is open/,
  ],
  ["a VM's folder can be entered", (s) => (the(s.files.get("/run/c/vms/1")).mode = 0o755), /\/run\/c\/vms\/1 is open/],
  [
    "a VM can write its own spec",
    (s) => (the(s.files.get("/data/vms/1/machine.json")).uid = 1_900_000_001),
    /machine\.json belongs to user 1900000001 and must be the agent's/,
  ],
  ["a QEMU is root", (s) => (qemu(s, 1).uid = 0), /QEMU process 101 runs as root/],
  [
    "a QEMU runs as another VM's user",
    (s) => (qemu(s, 1).uid = qemu(s, 2).uid),
    /runs as user 1900000002 and its disk .* belongs to user 1900000001/,
  ],
];

test.each(planted)("it is told when %s", (_what, plant, told) => {
  const snapshot = healthySnapshot();
  plant(snapshot);
  expect(disagreementsIn(snapshot).map(({ message }) => message)).toContainEqual(expect.stringMatching(told));
});

const innocent: [what: string, change: (snapshot: Healthy) => void][] = [
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
      qemu(s, 1).qmp = { answers: true, uuid: vm(s, 1).uuid, status: "io-error" };
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
      s.images.push({ id: 3, name: "installer", kind: "iso", sha256, fileBytes: 7, isBeingRemoved: false });
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
        ...{ id: 4, name: "going", kind: "disk", sha256: "e".repeat(64), fileBytes: 1, isBeingRemoved: true },
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
