import { CumulusError } from "../domain/errors";
import { judgeUserData } from "../domain/userData";

/** @throws `bad_request` under the field `userData`, with the first line that is wrong */
export function refuseBadUserData(userData: string | undefined): void {
  if (userData === undefined) return;
  const [problem] = judgeUserData(userData).problems;
  if (!problem) return;
  const message = `${problem.line ? `Line ${problem.line}: ` : ""}${problem.message}`;
  throw new CumulusError("bad_request", `The user data is not usable. ${message}`, { fields: { userData: message } });
}
