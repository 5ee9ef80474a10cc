import { asc } from "drizzle-orm";
import { hosts } from "../../db/schema/hosts";
import { networkFingerprint } from "../../domain/networkFingerprint";
import type { Context } from "../context";
import { lastFailure } from "./apply";
import { networkStateOf } from "./state";

/** Why what is written down about networks, firewalls, forwards and limits is not all in effect on the host; null when it is, as far as the host told last. */
export async function networksPending(context: Context): Promise<string | null> {
  const [host] = await context.db.select().from(hosts).orderBy(asc(hosts.id)).limit(1);
  const { network, degraded } = host?.report ?? {};
  if (!host || network?.applied === undefined) return null;
  if (network.applied === networkFingerprint(await networkStateOf(context.db, network.driver, context.settings.port)))
    return null;
  const reason =
    host.unreachableSince === null
      ? (lastFailure(context) ??
        degraded?.find(({ code }) => code === "networks")?.message ??
        "It was told to, and has not answered yet.")
      : "Its agent doesn't answer. Start it: `npm run up`, or where systemd runs it `systemctl start cumulus-agent`.";
  return `The host has not put the last change of its networks into effect yet: ${reason}`;
}
