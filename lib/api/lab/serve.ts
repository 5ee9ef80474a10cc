import { isAllowedHost } from "../../auth/allowedHosts";
import type { Actor } from "../../control/context";
import { whyGuestsReachLoopback } from "../../control/lab/loopback";
import { CumulusError } from "../../domain/errors";
import { type Services, services } from "../../services";
import type { AnyEndpoint } from "../endpoint";
import { toProblem } from "../problem";
import { authorize, readJsonBody } from "../serve";
import { refuseOtherSites, whyTokenIsNeeded } from "./access";

const labActor: Actor = { kind: "user", name: "os-cloud-lab" };

/** Next's route handler of one of the lab's endpoints: the checks of `serve`, the answers of the lab. */
export function serveLab<E extends AnyEndpoint>(
  endpoint: E,
): Record<E["method"], (request: Request) => Promise<Response>> {
  const handler = async (request: Request) => {
    try {
      return json(await answerOf(endpoint, services(), request), 200);
    } catch (error) {
      const problem = toProblem(error);
      if (problem.status >= 500) {
        services().context.log.error({ err: error, method: endpoint.method, path: endpoint.path }, "request failed");
      }
      // The lab knows no statuses; who may not ask learns that in every language.
      const status = problem.status === 401 || problem.status === 403 ? problem.status : 200;
      return json(
        { status: "error", error_msg: problem.detail, ...(status !== 200 && { code: problem.code }) },
        status,
      );
    }
  };
  return { [endpoint.method]: handler } as Record<E["method"], typeof handler>;
}

async function answerOf(endpoint: AnyEndpoint, deps: Services, request: Request): Promise<unknown> {
  const { context } = deps;
  if (!isAllowedHost(request.headers.get("host") ?? undefined, context.settings)) {
    throw new CumulusError("forbidden", "This host name isn't one of Cumulus'.");
  }
  refuseOtherSites(request.headers);
  const actor = await actorOf(deps, request);
  const body = endpoint.body ? objectOf(await readJsonBody(request)) : undefined;
  return endpoint.handle({ context, services: deps, actor, params: {}, query: {}, body, request });
}

async function actorOf(deps: Services, request: Request): Promise<Actor> {
  const { settings, db } = deps.context;
  const why = whyTokenIsNeeded(settings, await whyGuestsReachLoopback(db), request.headers);
  if (why === null) return labActor;
  try {
    return await authorize(deps, request);
  } catch (error) {
    if (!(error instanceof CumulusError) || error.code !== "unauthenticated") throw error;
    throw new CumulusError("unauthenticated", `${why} Send it as \`Authorization: Bearer …\`.`);
  }
}

function objectOf(body: unknown): Record<string, unknown> {
  if (typeof body === "object" && body !== null && !Array.isArray(body)) return body as Record<string, unknown>;
  throw new CumulusError("bad_request", "The body is not a JSON object.");
}

function json(value: unknown, status: number): Response {
  return Response.json(value, { status, headers: { "cache-control": "no-store" } });
}
