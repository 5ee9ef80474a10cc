import { GIB } from "../../../lib/domain/units";
import type { Vm } from "../../../lib/domain/vm";

/** A VM for tests: a running `small`, but for what the test says. */
export function exampleVm(changes: Partial<Vm> = {}): Vm {
  const at = "2026-01-02T03:04:05.000Z";
  return {
    id: 1,
    name: "calm-otter",
    status: "running",
    statusReason: null,
    statusSince: at,
    desired: "running",
    observed: "running",
    observedAt: at,
    isReady: true,
    image: { id: 1, name: "mini", title: "Cumulus mini", kind: "disk" },
    madeFrom: null,
    arch: "x86_64",
    isEmulated: false,
    firmware: "bios",
    cdrom: null,
    isCdromChanging: false,
    bootFrom: "disk",
    size: { name: "small", vcpus: 1, memoryBytes: GIB, diskBytes: 10 * GIB },
    network: { name: "default", driver: "user", nextDriver: null },
    ipv4: "192.168.0.2",
    mac: "52:54:00:00:00:02",
    host: { id: 1, name: "local" },
    ssh: { user: "root", host: "127.0.0.1", port: 22002, options: "", command: "ssh -p 22002 root@127.0.0.1" },
    sshKeys: [],
    timeline: [],
    firstBoot: { stages: [], warnings: [], errors: [] },
    createdAt: at,
    updatedAt: at,
    ...changes,
  };
}
