import { CumulusError } from "../domain/errors";
import { parseUserData } from "../domain/userData";

/** @throws `bad_request` under the field `userData`, with the first line that is wrong */
export function refuseBadUserData(userData: string | undefined): void {
  if (userData === undefined) return;
  const parsed = parseUserData(userData);
  if (parsed.kind !== "invalid") return;
  const [problem] = parsed.problems;
  const message = `${problem?.line ? `Line ${problem.line}: ` : ""}${problem?.message ?? "This is no user data."}`;
  throw new CumulusError("bad_request", `The user data is not usable. ${message}`, { fields: { userData: message } });
}
