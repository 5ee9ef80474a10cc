import { shellWord } from "../vms/shared/curl";
import type { DocOperation, OpenApiDocument, Schema } from "./openapi";
import { resolve } from "./openapi";

/** Values that read better than "…", by the name of the property. */
const samples: Record<string, unknown> = {
  name: "web-1",
  image: "mini",
  size: "small",
  publicKey: "ssh-ed25519 AAAA… you@laptop",
  text: "uname -a\n",
  userData: "#cloud-config\npackages: [htop]\n",
  newPassword: "a long new password",
  catalogue: "debian-13-x86_64",
  fileName: "disk.qcow2",
  path: "/etc/hostname",
  ipv4: "192.168.0.9",
};

/** Properties that an example shows though they may be left out. */
const worthShowing = new Set(["image", "size"]);

/** An example of an object: what it needs, and what is worth showing. */
export function exampleOf(schema: Schema, document: OpenApiDocument): unknown {
  const { properties = {}, required = [] } = resolve(schema, document);
  const shown = Object.entries(properties).filter(([name]) => required.includes(name) || worthShowing.has(name));
  const first = Object.entries(properties).slice(0, 1);
  return Object.fromEntries(
    (shown.length > 0 ? shown : first).map(([name, property]) => [name, sampleOf(name, property)]),
  );
}

function sampleOf(name: string, schema: Schema): unknown {
  if (name in samples) return samples[name];
  if (schema.enum) return schema.enum[0];
  if (schema.type === "integer" || schema.type === "number") return 1;
  if (schema.type === "boolean") return true;
  if (schema.type === "array") return [];
  return "…";
}

function requiredQuery({ parameters }: DocOperation): string {
  const required = parameters.filter((parameter) => parameter.in === "query" && parameter.required);
  const query = new URLSearchParams(required.map(({ name, schema }) => [name, String(sampleOf(name, schema))]));
  return query.size > 0 ? `?${query}` : "";
}

/** The call as a line for a shell. @param origin "http://127.0.0.1:3000" */
export function curlOf(operation: DocOperation, document: OpenApiDocument, origin: string): string {
  const { method, path, isOpen, body, takesFile, success } = operation;
  const url = `${origin}${path.replace(/\{\w+\}/g, "1")}${requiredQuery(operation)}`;
  const parts = ["curl"];
  if (success.contentType === "text/event-stream") parts.push("-N");
  if (success.contentType?.startsWith("image/")) parts.push("-o screen.png");
  if (success.contentType === "application/octet-stream") parts.push("-OJ");
  if (method !== "GET" && !takesFile && !(method === "POST" && body)) parts.push(`-X ${method}`);
  if (!isOpen) parts.push(`-H "Authorization: Bearer $CUMULUS_TOKEN"`);
  if (body) {
    const json = JSON.stringify(exampleOf(body, document)).replaceAll("'", "'\\''");
    parts.push("-H 'Content-Type: application/json'", `-d '${json}'`);
  }
  if (takesFile)
    parts.push(
      "-H 'Content-Type: application/octet-stream'",
      path.endsWith("/import") ? "-T web-1.tar" : "-T disk.qcow2",
    );
  const words = [...parts, shellWord(url)];
  return parts.length > 3 ? words.join(" \\\n  ") : words.join(" ");
}
