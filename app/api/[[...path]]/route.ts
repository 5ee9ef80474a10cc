import { problemResponse } from "../../../lib/api/problem";
import { CumulusError } from "../../../lib/domain/errors";

/** What no other route has taken, by any method; the API's own root too. */
function refuse(request: Request): Response {
  const message = `There is nothing at ${new URL(request.url).pathname}. What there is stands in /docs.`;
  return problemResponse(new CumulusError("not_found", message));
}

export { refuse as DELETE, refuse as GET, refuse as OPTIONS, refuse as PATCH, refuse as POST, refuse as PUT };
