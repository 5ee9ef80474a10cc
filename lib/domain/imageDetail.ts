import * as z from "zod";
import { imageSchema } from "./image";
import { publishedBuildSchema } from "./publishedBuild";
import { recipeSchema } from "./recipe";

const userSchema = z.object({ id: z.number().int(), name: z.string() });

/** An image with what holds on to it by name: it can be removed when nothing does. */
export const imageDetailSchema = imageSchema
  .extend({
    vms: z.array(userSchema),
    snapshots: z.array(userSchema.extend({ vmId: z.number().int(), vmName: z.string() })),
    /** Images of other names that are of the same bytes: they share one file, which goes with the last of them. */
    sameFile: z.array(userSchema.extend({ title: z.string() })),
    /** What `newerBaseId` names. */
    newerBase: userSchema.extend({ title: z.string() }).nullable(),
    /** Of an image of the catalogue: what its maker publishes now, when it was last asked (`POST /api/images/{id}/newer-build`); null: never. */
    published: publishedBuildSchema.nullable(),
    /** What made it from another image. */
    recipe: recipeSchema.nullable(),
  })
  .meta({ id: "ImageDetail" });
export type ImageDetail = z.infer<typeof imageDetailSchema>;
