import type { Metadata } from "next";
import { headers } from "next/headers";
import { DocsPage } from "../../components/docs/DocsPage";
import type { OpenApiDocument } from "../../components/docs/openapi";
import { openApiDocument } from "../../lib/api/openapi";
import { readGuides } from "../../lib/guides";

export const metadata: Metadata = { title: "API" };

/** Open to all: it tells what `GET /api/openapi.json` tells. */
export default async function Docs() {
  const request = await headers();
  const origin = `${request.get("x-forwarded-proto") ?? "http"}://${request.get("host") ?? "127.0.0.1:3000"}`;
  return <DocsPage document={openApiDocument() as unknown as OpenApiDocument} origin={origin} guides={readGuides()} />;
}
