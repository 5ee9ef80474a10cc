import { signInPath } from "../../../../lib/auth/account";

/** The short form of a one-time link, as `up` prints it. It is used up by the page that it leads to. */
export async function GET(_request: Request, { params }: { params: Promise<{ token: string }> }): Promise<Response> {
  const { token } = await params;
  return new Response(null, { status: 303, headers: { location: signInPath(token), "cache-control": "no-store" } });
}
