import { z } from "zod";
import { formatBytes } from "../../domain/units";
import { exportFormatSchema } from "../../domain/vmArchive";
import type { TaskEffects } from "../tasks/effects";

const resultSchema = z.object({ fileBytes: z.number(), format: exportFormatSchema.default("qcow2") });

/** The end of an export: where its file can be fetched. */
export const exportEffects: TaskEffects = {
  onDone: async (_context, _tx, operation, result) => {
    const { fileBytes, format } = resultSchema.parse(result);
    const file = `/api/operations/${operation.id}/file`;
    return { message: `${formatBytes(fileBytes)} to download, for a day.`, result: { file, fileBytes, format } };
  },
};
