import { routerName } from "../../domain/network";

/** A hostname near to any text: `my_vm` becomes `my-vm`. Unique only with the number that the caller adds. */
export function hostnameOf(text: string, number = 1): string {
  const plain = text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+/, "");
  const suffix = number === 1 ? "" : `-${number}`;
  const start = plain.slice(0, 63 - suffix.length).replace(/-+$/, "");
  const name = `${start || "vm"}${suffix}`;
  return name === routerName ? `${name}-vm` : name;
}
