import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { imageUploadSchema } from "../../domain/imageImport";
import { readSettings } from "../../env";
import { uploadImage } from "../intake/uploadImage";

/**
 * Takes one upload over HTTP in a process of its own, whose memory a test measures: prints the port, and when it is done the image's manifest
 * and the most memory that was resident, as JSON. The environment is an agent's.
 */
const server = createServer(async (request, response) => {
  const image = { name: "large", arch: "x86_64", firmwares: ["bios"] };
  const upload = imageUploadSchema.parse({ fileName: "large.raw", image });
  const options = {
    ...{ operationId: 5, settings: readSettings(), signal: new AbortController().signal },
    report: { progress() {}, log() {} },
  };
  const contentLength = Number(request.headers["content-length"]);
  const manifest = await uploadImage(upload, options, (receive) => receive({ body: request, contentLength }));
  response.end();
  console.log(JSON.stringify({ manifest, peakBytes: process.resourceUsage().maxRSS * 1024 }));
  server.close();
});
server.listen(0, "127.0.0.1", () => console.log((server.address() as AddressInfo).port));
