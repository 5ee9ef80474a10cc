import { headers } from "next/headers";
import { redirect } from "next/navigation";
import { services } from "../services";
import { authenticate } from "./authenticate";

/** The signed-in user of a page; anyone else is sent to the sign-in page. Route handlers check for themselves (lib/api/serve.ts). */
export async function requireSession(): Promise<{ user: { name: string } }> {
  // Asking for the headers first keeps the build from making the page beforehand.
  const requestHeaders = await headers();
  const deps = services();
  const authentication = await authenticate({ ...deps, db: deps.context.db }, requestHeaders);
  if (authentication?.by !== "session") redirect("/sign-in");
  return { user: { name: authentication.actor.name } };
}
