import { openApiDocument } from "../../../lib/api/openapi";
import { routeWith } from "../../../lib/api/serve";

/** The document says nothing secret: it is open to all, as is the page that shows it. */
const answer = async () => Response.json(openApiDocument());

export const { DELETE, GET, OPTIONS, PATCH, POST, PUT } = routeWith({ GET: answer });
