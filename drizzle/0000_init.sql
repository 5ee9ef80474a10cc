CREATE TABLE "api_tokens" (
	"id" serial PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"prefix" text NOT NULL,
	"hash" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"last_used_at" timestamp with time zone,
	CONSTRAINT "api_tokens_hash_unique" UNIQUE("hash")
);
--> statement-breakpoint
CREATE TABLE "hosts" (
	"id" serial PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"report" jsonb,
	"last_seen_at" timestamp with time zone,
	"unreachable_since" timestamp with time zone,
	CONSTRAINT "hosts_name_unique" UNIQUE("name")
);
--> statement-breakpoint
CREATE TABLE "idempotency_keys" (
	"id" serial PRIMARY KEY NOT NULL,
	"actor" text NOT NULL,
	"key" text NOT NULL,
	"request_hash" text NOT NULL,
	"vm_id" integer NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "images" (
	"id" serial PRIMARY KEY NOT NULL,
	"sha256" text NOT NULL,
	"name" text NOT NULL,
	"title" text NOT NULL,
	"description" text NOT NULL,
	"arch" text NOT NULL,
	"firmware" text NOT NULL,
	"file_bytes" bigint NOT NULL,
	"virtual_bytes" bigint NOT NULL,
	"min_memory_bytes" bigint NOT NULL,
	"login_user" text NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	CONSTRAINT "images_sha256_unique" UNIQUE("sha256")
);
--> statement-breakpoint
CREATE TABLE "networks" (
	"id" serial PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"cidr" text NOT NULL,
	"gateway" text NOT NULL,
	CONSTRAINT "networks_name_unique" UNIQUE("name")
);
--> statement-breakpoint
CREATE TABLE "operations" (
	"id" serial PRIMARY KEY NOT NULL,
	"kind" text NOT NULL,
	"status" text DEFAULT 'pending' NOT NULL,
	"progress" integer DEFAULT 0 NOT NULL,
	"message" text,
	"error" text,
	"vm_id" integer,
	"generation" integer,
	"boot_count_before" integer,
	"actor" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"started_at" timestamp with time zone,
	"finished_at" timestamp with time zone,
	CONSTRAINT "operations_progress" CHECK ("operations"."progress" between 0 and 100),
	CONSTRAINT "operations_finished" CHECK (("operations"."status" in ('done', 'failed', 'superseded')) = ("operations"."finished_at" is not null))
);
--> statement-breakpoint
CREATE TABLE "ssh_keys" (
	"id" serial PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"public_key" text NOT NULL,
	"fingerprint" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "ssh_keys_name_unique" UNIQUE("name"),
	CONSTRAINT "ssh_keys_fingerprint_unique" UNIQUE("fingerprint")
);
--> statement-breakpoint
CREATE TABLE "vms" (
	"id" serial PRIMARY KEY NOT NULL,
	"uuid" uuid DEFAULT gen_random_uuid() NOT NULL,
	"name" text NOT NULL,
	"host_id" integer NOT NULL,
	"image_id" integer NOT NULL,
	"size_name" text,
	"vcpus" integer NOT NULL,
	"memory_bytes" bigint NOT NULL,
	"disk_bytes" bigint NOT NULL,
	"network_id" integer NOT NULL,
	"ipv4" text NOT NULL,
	"mac" text NOT NULL,
	"ssh_host_port" integer NOT NULL,
	"ssh_keys" jsonb NOT NULL,
	"user_data" text,
	"files" jsonb NOT NULL,
	"desired" text NOT NULL,
	"stop_mode" text DEFAULT 'power-off' NOT NULL,
	"stop_deadline_at" timestamp with time zone,
	"generation" integer DEFAULT 1 NOT NULL,
	"settled_generation" integer DEFAULT 0 NOT NULL,
	"intent_at" timestamp with time zone DEFAULT now() NOT NULL,
	"observed" text DEFAULT 'absent' NOT NULL,
	"observed_at" timestamp with time zone,
	"observed_since" timestamp with time zone DEFAULT now() NOT NULL,
	"observed_reason" text,
	"boot_count" integer DEFAULT 0 NOT NULL,
	"milestones" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"first_boot_error" text,
	"last_error" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	"deleted_at" timestamp with time zone,
	CONSTRAINT "vms_uuid_unique" UNIQUE("uuid"),
	CONSTRAINT "vms_desired" CHECK ("vms"."desired" in ('running', 'stopped', 'deleted')),
	CONSTRAINT "vms_observed" CHECK ("vms"."observed" in ('absent', 'stopped', 'running', 'paused', 'crashed', 'unresponsive')),
	CONSTRAINT "vms_stop_mode" CHECK ("vms"."stop_mode" in ('power-off', 'acpi')),
	CONSTRAINT "vms_deleted" CHECK ("vms"."deleted_at" is null or ("vms"."desired" = 'deleted' and "vms"."observed" = 'absent')),
	CONSTRAINT "vms_generation" CHECK ("vms"."settled_generation" <= "vms"."generation"),
	CONSTRAINT "vms_shape" CHECK ("vms"."vcpus" > 0 and "vms"."memory_bytes" > 0 and "vms"."disk_bytes" > 0)
);
--> statement-breakpoint
CREATE TABLE "auth_accounts" (
	"id" text PRIMARY KEY NOT NULL,
	"account_id" text NOT NULL,
	"provider_id" text NOT NULL,
	"user_id" text NOT NULL,
	"access_token" text,
	"refresh_token" text,
	"id_token" text,
	"access_token_expires_at" timestamp with time zone,
	"refresh_token_expires_at" timestamp with time zone,
	"scope" text,
	"password" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "auth_rate_limits" (
	"id" text PRIMARY KEY NOT NULL,
	"key" text NOT NULL,
	"count" integer NOT NULL,
	"last_request" bigint NOT NULL,
	CONSTRAINT "auth_rate_limits_key_unique" UNIQUE("key")
);
--> statement-breakpoint
CREATE TABLE "auth_sessions" (
	"id" text PRIMARY KEY NOT NULL,
	"token" text NOT NULL,
	"user_id" text NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	"ip_address" text,
	"user_agent" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "auth_sessions_token_unique" UNIQUE("token")
);
--> statement-breakpoint
CREATE TABLE "auth_users" (
	"id" text PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"email" text NOT NULL,
	"email_verified" boolean DEFAULT false NOT NULL,
	"image" text,
	"username" text,
	"display_username" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "auth_users_email_unique" UNIQUE("email"),
	CONSTRAINT "auth_users_username_unique" UNIQUE("username")
);
--> statement-breakpoint
CREATE TABLE "auth_verifications" (
	"id" text PRIMARY KEY NOT NULL,
	"identifier" text NOT NULL,
	"value" text NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "operations" ADD CONSTRAINT "operations_vm_id_vms_id_fk" FOREIGN KEY ("vm_id") REFERENCES "public"."vms"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "vms" ADD CONSTRAINT "vms_host_id_hosts_id_fk" FOREIGN KEY ("host_id") REFERENCES "public"."hosts"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "vms" ADD CONSTRAINT "vms_image_id_images_id_fk" FOREIGN KEY ("image_id") REFERENCES "public"."images"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "vms" ADD CONSTRAINT "vms_network_id_networks_id_fk" FOREIGN KEY ("network_id") REFERENCES "public"."networks"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "auth_accounts" ADD CONSTRAINT "auth_accounts_user_id_auth_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."auth_users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "auth_sessions" ADD CONSTRAINT "auth_sessions_user_id_auth_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."auth_users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "idempotency_keys_actor_key_index" ON "idempotency_keys" USING btree ("actor","key");--> statement-breakpoint
CREATE INDEX "operations_vm" ON "operations" USING btree ("vm_id","id");--> statement-breakpoint
CREATE INDEX "operations_open" ON "operations" USING btree ("vm_id") WHERE "operations"."status" in ('pending', 'running');--> statement-breakpoint
CREATE UNIQUE INDEX "vms_live_name" ON "vms" USING btree ("name") WHERE "vms"."deleted_at" is null;--> statement-breakpoint
CREATE UNIQUE INDEX "vms_live_address" ON "vms" USING btree ("network_id","ipv4") WHERE "vms"."deleted_at" is null;--> statement-breakpoint
CREATE UNIQUE INDEX "vms_live_mac" ON "vms" USING btree ("mac") WHERE "vms"."deleted_at" is null;--> statement-breakpoint
CREATE UNIQUE INDEX "vms_live_ssh_port" ON "vms" USING btree ("host_id","ssh_host_port") WHERE "vms"."deleted_at" is null;--> statement-breakpoint
CREATE INDEX "vms_image" ON "vms" USING btree ("image_id");--> statement-breakpoint
CREATE INDEX "auth_accounts_user_id_index" ON "auth_accounts" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "auth_sessions_user_id_index" ON "auth_sessions" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "auth_verifications_identifier_index" ON "auth_verifications" USING btree ("identifier");