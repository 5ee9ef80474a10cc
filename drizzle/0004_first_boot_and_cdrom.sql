ALTER TABLE "vms" ADD COLUMN "first_boot" jsonb DEFAULT '{"passwordHash":null,"users":[],"timezone":null,"locale":null,"packages":[]}'::jsonb NOT NULL;--> statement-breakpoint
ALTER TABLE "vms" ADD COLUMN "firmware" text;--> statement-breakpoint
ALTER TABLE "vms" ADD COLUMN "cdrom_image_id" integer;--> statement-breakpoint
ALTER TABLE "vms" ADD COLUMN "boot_from" text DEFAULT 'disk' NOT NULL;--> statement-breakpoint
ALTER TABLE "vms" ADD COLUMN "first_boot_report" jsonb DEFAULT '{"stages":{},"warnings":[],"errors":[]}'::jsonb NOT NULL;--> statement-breakpoint
ALTER TABLE "vms" ADD COLUMN "observed_cdrom" text;--> statement-breakpoint
ALTER TABLE "vms" ADD CONSTRAINT "vms_cdrom_image_id_images_id_fk" FOREIGN KEY ("cdrom_image_id") REFERENCES "public"."images"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "vms" ADD CONSTRAINT "vms_firmware" CHECK ("vms"."firmware" in ('bios', 'uefi'));--> statement-breakpoint
ALTER TABLE "vms" ADD CONSTRAINT "vms_boot_from" CHECK ("vms"."boot_from" in ('disk', 'cdrom'));