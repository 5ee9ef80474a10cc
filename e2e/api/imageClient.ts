import { expect } from "vitest";
import type { Image } from "../../lib/domain/image";
import type { ImageDetail } from "../../lib/domain/imageDetail";
import type { Operation } from "../../lib/domain/operation";
import { type Stack, until } from "../stack";

/** What tests of images ask of a stack. */
export function imageClient(stack: Stack) {
  async function ended(id: number, deadlineMs = 60_000): Promise<Operation> {
    const read = async () => (await stack.api<Operation>("GET", `/api/operations/${id}`)).body;
    await until(`operation ${id} ends`, async () => (await read()).finishedAt !== null, deadlineMs);
    return read();
  }

  async function made(
    { status, body }: { status: number; body: Operation },
    deadlineMs?: number,
  ): Promise<ImageDetail> {
    expect(status).toBe(202);
    const operation = await ended(body.id, deadlineMs);
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
