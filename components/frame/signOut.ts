import { apiRequest } from "../../lib/api/client";

/** Ends the session and leaves for the sign-in page with a full load, so that nothing read stays in memory. */
export async function signOut(): Promise<void> {
  await apiRequest("POST", "/api/auth/sign-out", {});
  window.location.assign("/sign-in");
}
