import { randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { expect } from "vitest";
import type { Image } from "../../lib/domain/image";
import type { ImageDetail } from "../../lib/domain/imageDetail";
import type { Operation } from "../../lib/domain/operation";
import { type Stack, until } from "../stack";

export const MiB = 1024 ** 2;

/** A disk as qemu-img writes it, with so many bytes of data that no other has. */
export async function qcow2(dataBytes: number, diskBytes = 8 * MiB): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), "images-"));
  const [raw, file] = [join(folder, "disk.raw"), join(folder, "disk.qcow2")];
  const disk = Buffer.alloc(diskBytes);
  randomBytes(dataBytes).copy(disk, MiB);
  disk.writeUInt16LE(0xaa55, 510);
  await writeFile(raw, disk);
  await execa("qemu-img", ["convert", "-f", "raw", "-O", "qcow2", raw, file]);
  const made = await readFile(file);
  await rm(folder, { recursive: true });
  return made;
}

/** What tests of images ask of a stack. */
export function imageClient(stack: Stack) {
  async function ended(id: number): Promise<Operation> {
    const read = async () => (await stack.api<Operation>("GET", `/api/operations/${id}`)).body;
    await until(`operation ${id} ends`, async () => (await read()).finishedAt !== null, 60_000);
    return read();
  }

  async function made({ status, body }: { status: number; body: Operation }): Promise<ImageDetail> {
    expect(status).toBe(202);
    const operation = await ended(body.id);
    expect(operation).toMatchObject({ status: "done", error: null });
    const { body: image } = await stack.api<ImageDetail>("GET", `/api/images/${operation.result?.imageId}`);
    return image;
  }

  function upload(query: Record<string, string>, body: BodyInit, options: Partial<RequestInit> = {}) {
    return fetch(`${stack.url}/api/images/upload?${new URLSearchParams(query)}`, {
      method: "PUT",
      body,
      duplex: "half",
      ...options,
      headers: {
        authorization: `Bearer ${stack.token}`,
        "content-type": "application/octet-stream",
        ...options.headers,
      },
    } as RequestInit);
  }

  return {
    post: <T = Operation>(body: object) => stack.api<T>("POST", "/api/images", body),
    images: async () => (await stack.api<{ items: Image[] }>("GET", "/api/images")).body.items,
    /** An operation, when it has ended in whatever way. */
    ended,
    /** The image that an operation makes. */
    made,
    upload,
    /** The image of uploaded bytes. */
    uploaded: async (name: string, bytes: Buffer): Promise<ImageDetail> => {
      const response = await upload({ fileName: `${name}.qcow2`, name }, new Uint8Array(bytes));
      return made({ status: response.status, body: await response.json() });
    },
  };
}
