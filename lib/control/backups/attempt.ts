import { isDatabaseAway } from "../../db/errors";
import { CumulusError } from "../../domain/errors";
import type { Context } from "../context";

/**
 * Does what is next for one backup or repository, so that one that fails keeps no other from its turn.
 * @param about what the log is to name
 * @returns why it failed, as a sentence for users; null when it did not
 * @throws when the database is away: then it is nobody's turn
 */
export async function attempt(context: Context, about: object, act: () => Promise<unknown>): Promise<string | null> {
  try {
    await act();
    return null;
  } catch (err) {
    if (isDatabaseAway(err)) throw err;
    context.log.error({ ...about, err }, "a backup failed");
    return err instanceof CumulusError ? err.message : "Something unexpected happened: the console's log says what.";
  }
}
