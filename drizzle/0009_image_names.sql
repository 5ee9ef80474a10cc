ALTER TABLE "images" DROP CONSTRAINT "images_sha256_unique";--> statement-breakpoint
CREATE UNIQUE INDEX "images_file_and_name" ON "images" USING btree ("sha256","name");