CREATE TABLE "backup_policies" (
	"vm_id" integer PRIMARY KEY NOT NULL,
	"policy" jsonb NOT NULL,
	"hourly_at" timestamp with time zone,
	"daily_at" timestamp with time zone,
	"weekly_at" timestamp with time zone,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "backup_repositories" (
	"id" serial PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"access" jsonb NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "backup_repositories_name_unique" UNIQUE("name")
);
--> statement-breakpoint
CREATE TABLE "backups" (
	"id" serial PRIMARY KEY NOT NULL,
	"vm_id" integer NOT NULL,
	"tier" text NOT NULL,
	"due_at" timestamp with time zone NOT NULL,
	"snapshot_id" integer,
	"repository_id" integer,
	"copy_operation_id" integer,
	"copy" jsonb,
	"error" text,
	"actor" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"removed_at" timestamp with time zone,
	CONSTRAINT "backups_tier" CHECK ("backups"."tier" in ('hourly', 'daily', 'weekly', 'manual'))
);
--> statement-breakpoint
ALTER TABLE "idempotency_keys" ALTER COLUMN "vm_id" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "idempotency_keys" ADD COLUMN "operation_id" integer;--> statement-breakpoint
ALTER TABLE "backup_policies" ADD CONSTRAINT "backup_policies_vm_id_vms_id_fk" FOREIGN KEY ("vm_id") REFERENCES "public"."vms"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "backups" ADD CONSTRAINT "backups_vm_id_vms_id_fk" FOREIGN KEY ("vm_id") REFERENCES "public"."vms"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "backups" ADD CONSTRAINT "backups_snapshot_id_snapshots_id_fk" FOREIGN KEY ("snapshot_id") REFERENCES "public"."snapshots"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "backups" ADD CONSTRAINT "backups_repository_id_backup_repositories_id_fk" FOREIGN KEY ("repository_id") REFERENCES "public"."backup_repositories"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "backups" ADD CONSTRAINT "backups_copy_operation_id_operations_id_fk" FOREIGN KEY ("copy_operation_id") REFERENCES "public"."operations"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "backups_vm" ON "backups" USING btree ("vm_id","due_at");--> statement-breakpoint
CREATE UNIQUE INDEX "backups_run" ON "backups" USING btree ("vm_id","tier","due_at");--> statement-breakpoint
ALTER TABLE "idempotency_keys" ADD CONSTRAINT "idempotency_keys_made" CHECK (("idempotency_keys"."vm_id" is null) <> ("idempotency_keys"."operation_id" is null));