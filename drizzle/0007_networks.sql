CREATE TABLE "addresses" (
	"network_id" integer NOT NULL,
	"ipv4" text NOT NULL,
	"vm_id" integer,
	"note" text DEFAULT '' NOT NULL,
	"released_at" timestamp with time zone,
	CONSTRAINT "addresses_network_id_ipv4_pk" PRIMARY KEY("network_id","ipv4"),
	CONSTRAINT "addresses_released" CHECK ("addresses"."released_at" is null or "addresses"."vm_id" is not null)
);
--> statement-breakpoint
CREATE TABLE "firewalls" (
	"id" serial PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"rules" jsonb NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "firewalls_name_unique" UNIQUE("name")
);
--> statement-breakpoint
CREATE TABLE "interface_limits" (
	"vm_id" integer NOT NULL,
	"interface_id" text NOT NULL,
	"ingress_bytes_per_second" bigint,
	"egress_bytes_per_second" bigint,
	CONSTRAINT "interface_limits_vm_id_interface_id_pk" PRIMARY KEY("vm_id","interface_id")
);
--> statement-breakpoint
CREATE TABLE "port_forwards" (
	"id" serial PRIMARY KEY NOT NULL,
	"vm_id" integer NOT NULL,
	"host_address" text NOT NULL,
	"host_port" integer NOT NULL,
	"protocol" text NOT NULL,
	"port" integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE "vm_firewalls" (
	"vm_id" integer NOT NULL,
	"firewall_id" integer NOT NULL,
	CONSTRAINT "vm_firewalls_vm_id_firewall_id_pk" PRIMARY KEY("vm_id","firewall_id")
);
--> statement-breakpoint
CREATE TABLE "vm_interfaces" (
	"vm_id" integer NOT NULL,
	"interface_id" text NOT NULL,
	"network_id" integer NOT NULL,
	"mac" text NOT NULL,
	"ipv4" text NOT NULL,
	"is_leaving" boolean DEFAULT false NOT NULL,
	CONSTRAINT "vm_interfaces_vm_id_interface_id_pk" PRIMARY KEY("vm_id","interface_id"),
	CONSTRAINT "vm_interfaces_mac_unique" UNIQUE("mac")
);
--> statement-breakpoint
ALTER TABLE "networks" ADD COLUMN "description" text DEFAULT '' NOT NULL;--> statement-breakpoint
ALTER TABLE "networks" ADD COLUMN "domain" text DEFAULT 'internal' NOT NULL;--> statement-breakpoint
ALTER TABLE "networks" ADD COLUMN "dns_servers" jsonb DEFAULT '[]'::jsonb NOT NULL;--> statement-breakpoint
ALTER TABLE "networks" ADD COLUMN "outside" text DEFAULT 'nat' NOT NULL;--> statement-breakpoint
ALTER TABLE "networks" ADD COLUMN "reaches" jsonb DEFAULT '[]'::jsonb NOT NULL;--> statement-breakpoint
ALTER TABLE "networks" ADD COLUMN "ipv6_cidr" text;--> statement-breakpoint
ALTER TABLE "networks" ADD COLUMN "range_first" text;--> statement-breakpoint
ALTER TABLE "networks" ADD COLUMN "range_last" text;--> statement-breakpoint
ALTER TABLE "addresses" ADD CONSTRAINT "addresses_network_id_networks_id_fk" FOREIGN KEY ("network_id") REFERENCES "public"."networks"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "addresses" ADD CONSTRAINT "addresses_vm_id_vms_id_fk" FOREIGN KEY ("vm_id") REFERENCES "public"."vms"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "interface_limits" ADD CONSTRAINT "interface_limits_vm_id_vms_id_fk" FOREIGN KEY ("vm_id") REFERENCES "public"."vms"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "port_forwards" ADD CONSTRAINT "port_forwards_vm_id_vms_id_fk" FOREIGN KEY ("vm_id") REFERENCES "public"."vms"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "vm_firewalls" ADD CONSTRAINT "vm_firewalls_vm_id_vms_id_fk" FOREIGN KEY ("vm_id") REFERENCES "public"."vms"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "vm_firewalls" ADD CONSTRAINT "vm_firewalls_firewall_id_firewalls_id_fk" FOREIGN KEY ("firewall_id") REFERENCES "public"."firewalls"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "vm_interfaces" ADD CONSTRAINT "vm_interfaces_vm_id_vms_id_fk" FOREIGN KEY ("vm_id") REFERENCES "public"."vms"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "vm_interfaces" ADD CONSTRAINT "vm_interfaces_network_id_networks_id_fk" FOREIGN KEY ("network_id") REFERENCES "public"."networks"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "addresses_vm" ON "addresses" USING btree ("vm_id");--> statement-breakpoint
CREATE UNIQUE INDEX "port_forwards_host" ON "port_forwards" USING btree ("host_address","host_port","protocol");--> statement-breakpoint
UPDATE "networks" SET "domain" = "name" || '.internal';--> statement-breakpoint
INSERT INTO "addresses" ("network_id", "ipv4", "vm_id") SELECT "network_id", "ipv4", "id" FROM "vms" WHERE "deleted_at" IS NULL;
