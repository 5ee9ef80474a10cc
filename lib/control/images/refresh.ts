import { CumulusError } from "../../domain/errors";
import type { Operation } from "../../domain/operation";
import type { Actor, Context } from "../context";
import { getOperation } from "../operations";
import { customizeTask } from "./customize";
import { newestBase } from "./newestBase";
import { askFor, buildTask, catalogueTask, downloadTask, type ImageTask } from "./request";
import { getImageRow, type ImageRow } from "./view";

/**
 * Gets an image anew the way it came: the newest build of its catalogue entry, a new download, a new build, or its recipe run again on the newest image of its
 * base's name. The old one stays, for what uses it.
 * @throws `not_found`; `wrong_state` for one that came from elsewhere
 */
export async function refreshImage(context: Context, actor: Actor, id: number): Promise<Operation> {
  const image = await getImageRow(context.db, id);
  const task = await taskOf(context, image);
  return getOperation(context, await context.db.transaction((tx) => askFor(tx, actor, task)));
}

async function taskOf(context: Context, image: ImageRow): Promise<ImageTask> {
  const { source, name, arch } = image;
  switch (source.type) {
    case "catalogue":
      return catalogueTask(context, source.catalogueId);
    case "built":
      return buildTask(name, arch);
    case "url":
      return urlAgain(image, source.url);
    case "recipe": {
      const { title, description } = image;
      if (!image.recipe) throw cannot(`The recipe of ${name} was not kept.`);
      const base = await newestBase(context.db, image.id);
      if (!base) throw cannot(`The image that ${name} was made from is no longer here: add it first.`);
      return customizeTask(base, image.recipe, { name, title, description });
    }
    case "upload":
    case "vm":
      throw cannot(`${name} can't be had anew: it came from ${source.type === "vm" ? "a VM" : "an upload"}.`);
  }
}

function urlAgain(image: ImageRow, url: string): ImageTask {
  const { kind, name, title, description, arch, firmware, firmwares, minMemoryBytes, loginUser, os, endOfLife } = image;
  const said = { kind, name, title, description, arch, minMemoryBytes, loginUser, os, endOfLife };
  const all = firmwares.length > 0 ? firmwares : [firmware];
  // What it was compared with was that build's checksum, not the next one's.
  return downloadTask({ from: "url", url, checksum: null, image: { ...said, firmwares: all, aliases: [] } }, name);
}

function cannot(message: string): CumulusError {
  return new CumulusError("wrong_state", message);
}
