import { dirname } from "node:path";
import { imageFile } from "../../images/store";
import { variablesFile } from "../../images/variables";
import type { Disagreement, Snapshot } from "../snapshot";

const check = "images";

/** How long the console may take to note an image that was put there. */
const notedWithinMs = 60_000;

/**
 * Every image of the database is a file, whole and with its manifest and its UEFI variables; every file and manifest of an image is one of the database.
 */
export function checkImages(snapshot: Snapshot): Disagreement[] {
  return [...imagesWithoutFile(snapshot), ...imagesWithoutVariables(snapshot), ...filesWithoutImage(snapshot)];
}

function imagesWithoutVariables({ images, files, paths }: Snapshot): Disagreement[] {
  return images.flatMap(({ name, sha256, variablesSha256, isBeingRemoved }) => {
    if (variablesSha256 === null || isBeingRemoved) return [];
    const path = variablesFile(paths, variablesSha256);
    if (files.get(path)?.kind === "file") return [];
    const message = `The UEFI variables ${path} of the image ${name} are gone, and no VM with UEFI can be made of it: make the image again.`;
    return [{ check, subject: `${sha256} variables of ${name}`, message }];
  });
}

function imagesWithoutFile({ images, files, manifests, paths }: Snapshot): Disagreement[] {
  return images.flatMap(({ name, kind, sha256, fileBytes, isBeingRemoved }) => {
    if (isBeingRemoved) return [];
    const path = imageFile(paths, sha256, kind);
    const file = files.get(path);
    const tell = (subject: string, message: string) => [{ check, subject: `${sha256} ${subject}`, message }];
    if (file?.kind !== "file") {
      return tell("file", `The file ${path} of the image ${name} is gone: add the image again.`);
    }
    if (file.sizeBytes !== fileBytes) {
      return tell(
        "size",
        `The file ${path} of the image ${name} has ${file.sizeBytes} bytes and must have ${fileBytes}: remove it and add the image again.`,
      );
    }
    if (manifests.some(({ image }) => image?.sha256 === sha256 && image.name === name)) return [];
    return tell("manifest", `The image ${name} has no manifest beside ${path} that can be read: add the image again.`);
  });
}

function filesWithoutImage({ images, files, manifests, paths, takenAtMs }: Snapshot): Disagreement[] {
  const found = [...files].filter(([path]) => dirname(path) === paths.images);
  return found.flatMap(([path, { modifiedAtMs }]) => {
    const sha256 = /([0-9a-f]{64})\.(qcow2|iso|([^/]+\.)?json)$/.exec(path)?.[1];
    const described = manifests.find((manifest) => manifest.path === path)?.image;
    if (images.some((image) => image.sha256 === sha256 && (!described || image.name === described.name))) return [];
    const isNew = takenAtMs - modifiedAtMs < notedWithinMs;
    const variables = /([0-9a-f]{64})\.vars$/.exec(path)?.[1];
    if (isNew || (variables && images.some(({ variablesSha256 }) => variablesSha256 === variables))) return [];
    const isWhole = manifests.some(({ image }) => image?.sha256 === sha256);
    const remedy = isWhole
      ? "the console notes such files within a minute, so see that it runs"
      : "remove it if nobody needs it";
    return [{ check, subject: path, message: `${path} is no image of the database: ${remedy}.` }];
  });
}
