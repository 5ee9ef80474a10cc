import { mirroredUrl } from "../../domain/catalogue";
import { CumulusError } from "../../domain/errors";
import { pathsOf, type Settings } from "../../env";
import { withDeadline } from "../../system/deadline";
import { findCatalogueEntry } from "../catalogue/read";
import { checksumText, fetchPublishedChecksum } from "./checksums";
import { allowedHostsOf, parseImageUrl } from "./hostRules";
import { defaultFetchRules } from "./request";

/** Somebody may be waiting, who does without it. */
const answerWithinMs = 10_000;

/**
 * The checksum ("sha256:…") that the maker of a catalogue's entry publishes for it now, asked for by the same rules as a download.
 * @throws `not_found` for no such entry; `unavailable` when the maker doesn't tell in time; `bad_request` for what the rules forbid
 */
export async function askPublishedChecksum(
  catalogueId: string,
  settings: Settings,
  signal: AbortSignal,
  withinMs = answerWithinMs,
): Promise<string> {
  const { url, checksum } = await findCatalogueEntry(catalogueId, pathsOf(settings));
  const list = parseImageUrl(mirroredUrl(checksum.url, settings.imageMirror));
  const rules = { ...defaultFetchRules, allowedHosts: allowedHostsOf(settings) };
  return withDeadline(withinMs, signal, async (deadline) => {
    try {
      return checksumText(await fetchPublishedChecksum(url, list, checksum, rules, deadline));
    } catch (error) {
      signal.throwIfAborted();
      if (!deadline.aborted) throw error;
      const message = `${list.host} did not tell within ${withinMs / 1000} s what it publishes: try again later.`;
      throw new CumulusError("unavailable", message, { cause: error });
    }
  });
}
