import { createReadStream } from "node:fs";
import { request } from "node:http";
import { z } from "zod";
import { CumulusError, messageOf } from "../../domain/errors";
import { operationSchema } from "../../domain/operation";
import type { Settings } from "../../env";
import { adminToken, consoleUrl } from "../consoleClient";
import type { DiskTemplate } from "./find";

const answerSchema = operationSchema.pick({ id: true });
const problemSchema = z.object({ detail: z.string() });

/**
 * Uploads a template's file as an image of its name.
 * @param onProgress told how much has been read for sending, with every piece
 * @returns the id of the operation that makes the image of it
 * @throws `unavailable` with the console's reason, or why it can't be asked
 */
export async function sendTemplate(
  settings: Settings,
  { name, file, sizeBytes }: DiskTemplate,
  onProgress: (sentBytes: number) => void,
): Promise<number> {
  const query = new URLSearchParams({ name, fileName: `${name}.qcow2`, title: name });
  const token = await adminToken(settings);
  const { status, text } = await new Promise<{ status: number; text: string }>((resolve, reject) => {
    const source = createReadStream(file);
    const sending = request(`${consoleUrl(settings)}/api/images/upload?${query}`, {
      method: "PUT",
      headers: {
        authorization: `Bearer ${token}`,
        "content-type": "application/octet-stream",
        "content-length": sizeBytes,
      },
    });
    const fail = (cause: unknown) => {
      source.destroy();
      sending.destroy();
      reject(new CumulusError("unavailable", `${file} could not be sent: ${messageOf(cause)}`, { cause }));
    };
    let sentBytes = 0;
    source.on("data", (chunk) => {
      sentBytes += chunk.length;
      onProgress(sentBytes);
    });
    source.on("error", fail);
    sending.on("error", fail);
    sending.on("response", (response) => {
      // A file that is refused is answered before all of it was sent.
      sending.off("error", fail).on("error", () => undefined);
      let text = "";
      response.setEncoding("utf8").on("data", (chunk) => (text += chunk));
      response.on("error", fail);
      response.on("end", () => {
        source.destroy();
        resolve({ status: response.statusCode ?? 0, text });
      });
    });
    source.pipe(sending);
  });
  const answer: unknown = JSON.parse(text);
  if (status === 202) return answerSchema.parse(answer).id;
  throw new CumulusError(
    "unavailable",
    problemSchema.safeParse(answer).data?.detail ?? `The console answered ${status}.`,
  );
}
