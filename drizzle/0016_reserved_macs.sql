ALTER TABLE "addresses" ADD COLUMN "reserved_mac" text;--> statement-breakpoint
ALTER TABLE "addresses" ADD CONSTRAINT "addresses_reserved_mac_unique" UNIQUE("reserved_mac");