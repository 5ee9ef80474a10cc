import { openApiDocument } from "../../../lib/api/openapi";

/** The document says nothing secret: it is open to all, as is the page that shows it. */
export function GET(): Response {
  return Response.json(openApiDocument());
}
