import * as z from "zod";
import { catalogueEntrySchema } from "./catalogue";

/** An entry of the catalogue, with what this installation has of it. */
export const catalogueItemSchema = catalogueEntrySchema
  .extend({
    /** The newest image that came from this entry; null when none is here. */
    imageId: z.number().int().nullable(),
  })
  .meta({ id: "CatalogueItem" });
export type CatalogueItem = z.infer<typeof catalogueItemSchema>;
