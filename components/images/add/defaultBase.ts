import type { Arch } from "../../../lib/domain/arch";
import type { Image } from "../../../lib/domain/image";
import type { Recipe } from "../../../lib/domain/recipe";
import { byOrigin, findImage } from "../../vms/create/imageChoice";

/** The image that a recipe is likely meant for: the one that it names, else one of the host's architecture, and none that it has made itself. */
export function defaultBase(
  images: readonly Image[],
  recipe: Pick<Recipe, "name" | "base">,
  hostArch: Arch | undefined,
): Image | undefined {
  const others = images.filter(({ source }) => source.type !== "recipe" || source.recipe !== recipe.name);
  const newest = byOrigin(others.filter(({ newerId }) => newerId === null));
  return findImage(others, recipe.base ?? null, hostArch) ?? newest.find(({ arch }) => arch === hostArch) ?? newest[0];
}
