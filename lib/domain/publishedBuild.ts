import * as z from "zod";

/** What the maker of an image of the catalogue said when it was asked for its newest build. */
export const publishedBuildSchema = z
  .object({
    askedAt: z.iso.datetime(),
    /** Of the newest build, as it was last told ("sha256:…"); null: never. */
    checksum: z.string().nullable(),
    /** Why it was not told this time; null when it was. */
    problem: z.string().nullable(),
  })
  .meta({ id: "PublishedBuild" });
export type PublishedBuild = z.infer<typeof publishedBuildSchema>;
