ALTER TABLE "images" ADD COLUMN "is_recipe_changed" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "images" ADD COLUMN "published" jsonb;