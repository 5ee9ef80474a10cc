CREATE TABLE "snapshots" (
	"id" serial PRIMARY KEY NOT NULL,
	"vm_id" integer NOT NULL,
	"name" text NOT NULL,
	"note" text DEFAULT '' NOT NULL,
	"origin" text NOT NULL,
	"has_memory" boolean NOT NULL,
	"manifest" jsonb,
	"parent_id" integer,
	"desired" text DEFAULT 'present' NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"deleted_at" timestamp with time zone,
	CONSTRAINT "snapshots_desired" CHECK ("snapshots"."desired" in ('present', 'deleted')),
	CONSTRAINT "snapshots_deleted" CHECK ("snapshots"."deleted_at" is null or "snapshots"."desired" = 'deleted')
);
--> statement-breakpoint
ALTER TABLE "operations" DROP CONSTRAINT "operations_finished";--> statement-breakpoint
ALTER TABLE "images" ADD COLUMN "kind" text DEFAULT 'disk' NOT NULL;--> statement-breakpoint
ALTER TABLE "images" ADD COLUMN "firmwares" jsonb DEFAULT '[]'::jsonb NOT NULL;--> statement-breakpoint
ALTER TABLE "images" ADD COLUMN "os" jsonb;--> statement-breakpoint
ALTER TABLE "images" ADD COLUMN "end_of_life" text;--> statement-breakpoint
ALTER TABLE "images" ADD COLUMN "aliases" jsonb DEFAULT '[]'::jsonb NOT NULL;--> statement-breakpoint
ALTER TABLE "images" ADD COLUMN "source" jsonb DEFAULT '{"type":"built"}'::jsonb NOT NULL;--> statement-breakpoint
ALTER TABLE "images" ADD COLUMN "deleted_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "operations" ADD COLUMN "subject" text;--> statement-breakpoint
ALTER TABLE "operations" ADD COLUMN "task_kind" text;--> statement-breakpoint
ALTER TABLE "operations" ADD COLUMN "task_params" jsonb;--> statement-breakpoint
ALTER TABLE "operations" ADD COLUMN "dedup_key" text;--> statement-breakpoint
ALTER TABLE "operations" ADD COLUMN "transfer" jsonb;--> statement-breakpoint
ALTER TABLE "operations" ADD COLUMN "result" jsonb;--> statement-breakpoint
ALTER TABLE "operations" ADD COLUMN "is_cancelled" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "vms" ADD COLUMN "from_snapshot_id" integer;--> statement-breakpoint
ALTER TABLE "snapshots" ADD CONSTRAINT "snapshots_vm_id_vms_id_fk" FOREIGN KEY ("vm_id") REFERENCES "public"."vms"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "snapshots" ADD CONSTRAINT "snapshots_parent_id_snapshots_id_fk" FOREIGN KEY ("parent_id") REFERENCES "public"."snapshots"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "snapshots_vm" ON "snapshots" USING btree ("vm_id","id");--> statement-breakpoint
CREATE UNIQUE INDEX "snapshots_live_name" ON "snapshots" USING btree ("vm_id","name") WHERE "snapshots"."deleted_at" is null;--> statement-breakpoint
ALTER TABLE "vms" ADD CONSTRAINT "vms_from_snapshot_id_snapshots_id_fk" FOREIGN KEY ("from_snapshot_id") REFERENCES "public"."snapshots"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "operations_dedup" ON "operations" USING btree ("dedup_key") WHERE "operations"."status" in ('pending', 'running');--> statement-breakpoint
ALTER TABLE "operations" ADD CONSTRAINT "operations_finished" CHECK (("operations"."status" in ('done', 'failed', 'superseded', 'cancelled')) = ("operations"."finished_at" is not null));