import { CumulusError } from "../../domain/errors";
import { failedClose } from "../checks/failedClose";
import { assertSelfContained, readQcow2Header } from "../qcow2";
import { tool } from "../tools";

/** A disk that takes changes; the image below it stays as it is. @throws `bad_request` for an image that leads to other files */
export async function makeOverlay(image: string, overlay: string): Promise<void> {
  assertSelfContained(await readQcow2Header(image));
  await tool("qemu-img", ["create", "-q", "-f", "qcow2", "-b", image, "-F", "qcow2", overlay]);
}

/**
 * Writes an overlay and its image as one qcow2. What lies below is named here: the overlay's own header, which a guest that broke out of
 * QEMU could have rewritten, is not believed.
 * @throws `bad_request` for an image that leads to other files
 */
export async function flatten(image: string, overlay: string, target: string, signal: AbortSignal): Promise<void> {
  if ((await readQcow2Header(overlay)).hasExternalDataFile) {
    throw new CumulusError("internal", "The changed disk refers to another file, which it never did before.");
  }
  assertSelfContained(await readQcow2Header(image));
  const source = {
    driver: "qcow2",
    file: { driver: "file", filename: overlay },
    backing: { driver: "qcow2", backing: null, file: { driver: "file", filename: image } },
  };
  const format = ["-O", "qcow2", "-c", "-o", "compression_type=zstd"];
  const args = ["qemu-img", "convert", ...format, `json:${JSON.stringify(source)}`, target];
  const { stderr } = await tool("nice", args, { cancelSignal: signal });
  const said = failedClose(stderr);
  if (said !== null) throw new CumulusError("internal", `The changed disk could not be written: ${said}`);
}
