import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import { archivedVm, bytesOf, tarOf } from "../../lib/archives/testing/tar";
import type { Image } from "../../lib/domain/image";
import type { Operation } from "../../lib/domain/operation";
import type { Vm } from "../../lib/domain/vm";
import { type Stack, until } from "../stack";
import { MiB } from "../testDisk";
import { type Problem, snapshotClient } from "./snapshotClient";

const small = { ...archivedVm, diskBytes: 64 * MiB };

/** The first file of an archive, of a VM with a disk of 64 MiB. */
export const vmJson = (change: object = {}) => ({
  name: "vm.json",
  content: JSON.stringify({ ...small, ...change }),
});

/** An archive that can be imported. @param disk sound, of at most 64 MiB @param change of what is said of the VM */
export const soundArchive = (disk: Buffer, change: object = {}) =>
  tarOf([vmJson(change), { name: "disk.qcow2", content: disk }]);

/** What there is that an import could leave. */
export interface Leftovers {
  staging: string[];
  files: string[];
  vms: string[];
}

/** What tests of archives ask of a stack. */
export function archiveClient(stack: Stack) {
  const api = snapshotClient(stack);

  async function send(body: BodyInit, query = "", options: RequestInit = {}) {
    const response = await fetch(`${stack.url}/api/vms/import${query}`, {
      method: "POST",
      duplex: "half",
      ...options,
      body,
      headers: {
        authorization: `Bearer ${stack.token}`,
        "content-type": "application/octet-stream",
        ...options.headers,
      },
    } as RequestInit);
    return { status: response.status, body: (await response.json()) as Operation & Problem };
  }

  const sendTar = async (chunks: AsyncIterable<Buffer>, query = "") =>
    send(new Uint8Array(await bytesOf(chunks)), query);

  async function leftovers(): Promise<Leftovers> {
    const namesIn = (folder: string) => readdir(join(stack.settings.dataDir, folder)).catch(() => [] as string[]);
    const staging = (await namesIn("staging")).filter((name) => name.startsWith("image-"));
    const files = await namesIn("images");
    const vms = (await stack.api<{ items: Vm[] }>("GET", "/api/vms")).body.items.map(({ name }) => name);
    return { staging, files: files.sort(), vms };
  }

  return {
    send,
    sendTar,
    leftovers,
    /** The VM that an import makes. */
    imported: async (chunks: AsyncIterable<Buffer>, query = ""): Promise<Vm> => {
      const asked = await sendTar(chunks, query);
      expect(asked.status, JSON.stringify(asked.body)).toBe(202);
      const { result } = await api.ended(asked.body.id);
      return api.vmOf(result?.vmId as number);
    },
    imagesOf: async (name: string) =>
      (await stack.api<{ items: Image[] }>("GET", "/api/images")).body.items.filter((image) => image.name === name),
    operations: async () => (await stack.api<{ items: Operation[] }>("GET", "/api/operations")).body.items,
    expectNothingMore: async (before: Leftovers): Promise<void> => {
      await until("nothing is left", async () => JSON.stringify(await leftovers()) === JSON.stringify(before));
    },
  };
}
