import { boolean, jsonb, pgTable, serial, text, uniqueIndex } from "drizzle-orm/pg-core";
import type { Image } from "../../domain/image";
import type { PublishedBuild } from "../../domain/publishedBuild";
import type { Recipe } from "../../domain/recipe";
import { bytes, moment, now } from "./columns";

export const images = pgTable(
  "images",
  {
    id: serial("id").primaryKey(),
    /** Of its file, which images of several names may share. */
    sha256: text("sha256").notNull(),
    name: text("name").notNull(),
    title: text("title").notNull(),
    description: text("description").notNull(),
    kind: text("kind").$type<Image["kind"]>().notNull().default("disk"),
    arch: text("arch").$type<"x86_64" | "aarch64">().notNull(),
    firmware: text("firmware").$type<"bios" | "uefi">().notNull(),
    firmwares: jsonb("firmwares").$type<Image["firmwares"]>().notNull().default([]),
    fileBytes: bytes("file_bytes").notNull(),
    virtualBytes: bytes("virtual_bytes").notNull(),
    minMemoryBytes: bytes("min_memory_bytes").notNull(),
    loginUser: text("login_user").notNull(),
    variablesSha256: text("variables_sha256"),
    os: jsonb("os").$type<Image["os"]>(),
    endOfLife: text("end_of_life"),
    aliases: jsonb("aliases").$type<string[]>().notNull().default([]),
    source: jsonb("source").$type<Image["source"]>().notNull().default({ type: "built" }),
    /** What made it from another image, to be run again on a newer one; its passwords are hashes. */
    recipe: jsonb("recipe").$type<Recipe>(),
    /** By which it was built is not what the host would build it by now. */
    isRecipeChanged: boolean("is_recipe_changed").notNull().default(false),
    /** What its maker said when it was last asked. */
    published: jsonb("published").$type<PublishedBuild>(),
    createdAt: moment("created_at").notNull(),
    /** A removed image keeps its row, which VMs that are gone refer to. */
    deletedAt: moment("deleted_at"),
  },
  (table) => [uniqueIndex("images_file_and_name").on(table.sha256, table.name)],
);

/** Recipes that are kept by name; their passwords are hashes. */
export const recipes = pgTable("recipes", {
  id: serial("id").primaryKey(),
  name: text("name").notNull().unique(),
  recipe: jsonb("recipe").$type<Recipe>().notNull(),
  createdAt: moment("created_at").notNull().default(now),
  updatedAt: moment("updated_at").notNull().default(now),
});
