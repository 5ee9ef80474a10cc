import { basename } from "node:path/posix";
import { z } from "zod";
import { getSnapshot } from "../../control/snapshots/view";
import { CumulusError } from "../../domain/errors";
import { guestPathSchema, maxListed, snapshotFileSchema, snapshotFolderSchema } from "../../domain/snapshotFile";
import { endpoint } from "../endpoint";
import { fileResponse } from "../fileResponse";
import { asList, idParams, listOf } from "../shapes";

const tag = "Snapshots";

export const listSnapshotFilesEndpoint = endpoint({
  method: "GET",
  path: "/api/snapshots/{id}/files",
  tag,
  summary: "List a folder of a snapshot",
  description:
    "Without booting it: a small machine of its own, without rights on the host, reads the disk. The first look takes some seconds, under emulation a minute. " +
    `Of a folder with more than ${maxListed} entries the first are listed; \`totalCount\` says how many there are.`,
  params: idParams,
  query: z.strictObject({ path: guestPathSchema.default("/") }),
  response: listOf(snapshotFileSchema).extend({ totalCount: snapshotFolderSchema.shape.totalCount }),
  handle: async ({ context, params, query }) => {
    await assertWhole(getSnapshot(context, params.id));
    const { files, totalCount } = await context.agent.listSnapshotFiles(params.id, query.path);
    return { ...asList(files), totalCount };
  },
});

export const readSnapshotFileEndpoint = endpoint({
  method: "GET",
  path: "/api/snapshots/{id}/file",
  tag,
  summary: "Download a file of a snapshot",
  params: idParams,
  query: z.strictObject({ path: guestPathSchema }),
  response: "application/octet-stream",
  handle: async ({ context, params, query }) => {
    await assertWhole(getSnapshot(context, params.id));
    const body = await context.agent.readSnapshotFile(params.id, query.path);
    return fileResponse({ status: 200, headers: {}, body }, basename(query.path) || "file");
  },
});

/** @throws `wrong_state` while it is being taken or deleted */
async function assertWhole(found: ReturnType<typeof getSnapshot>): Promise<void> {
  const { name, status } = await found;
  if (status === "available") return;
  throw new CumulusError("wrong_state", `The snapshot ${name} is ${status}: it must be available.`, {
    allowed: ["available"],
  });
}
