import { problemResponse } from "../api/problem";
import { tellMethods } from "../api/serve";
import { CumulusError } from "../domain/errors";
import { services } from "../services";
import { isAllowedHost } from "./allowedHosts";
import { openAuthPaths } from "./auth";

/** better-auth's own requests, of which only those are open that the sign-in pages use. */
export async function handleAuth(request: Request): Promise<Response> {
  const { auth, context } = services();
  const path = new URL(request.url).pathname.replace(/^\/api\/auth/, "");
  try {
    if (!isAllowedHost(request.headers.get("host") ?? undefined, context.settings)) {
      throw new CumulusError("forbidden", "This host name isn't one of Cumulus'. Name it in CUMULUS_ALLOWED_HOSTS.");
    }
    const method = openAuthPaths[path];
    if (method === undefined) throw new CumulusError("not_found", `There is nothing at /api/auth${path}.`);
    if (request.method !== method) return tellMethods(request, [method, "OPTIONS"]);
    const response = await auth.handler(request);
    if (response.status < 500) return response;
    throw new CumulusError(
      "unavailable",
      "Sign-in doesn't work at the moment: the database doesn't answer. Try again.",
      {
        retryAfterSeconds: 2,
      },
    );
  } catch (error) {
    return problemResponse(error);
  }
}
