ALTER TABLE "idempotency_keys" DROP CONSTRAINT "idempotency_keys_made";--> statement-breakpoint
ALTER TABLE "idempotency_keys" ADD COLUMN "backup_id" integer;--> statement-breakpoint
ALTER TABLE "idempotency_keys" ADD CONSTRAINT "idempotency_keys_made" CHECK (num_nonnulls("idempotency_keys"."vm_id", "idempotency_keys"."operation_id", "idempotency_keys"."backup_id") = 1);