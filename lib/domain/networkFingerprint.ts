import { createHash } from "node:crypto";
import { type NetworkState, networkStateSchema } from "./hostNetwork";

/**
 * What two states of a host's networks have in common when they ask for the same: nothing in them depends on an order but that of name servers, of which any
 * answers. Pure.
 */
export function networkFingerprint(state: NetworkState): string {
  return createHash("sha256")
    .update(canonical(networkStateSchema.parse(state)))
    .digest("hex");
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).sort().join()}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const fields = Object.entries(value).map(([name, field]) => `${JSON.stringify(name)}:${canonical(field)}`);
  return `{${fields.sort().join()}}`;
}
