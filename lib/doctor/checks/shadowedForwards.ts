import { shadowedInWords } from "../../domain/consolePort";
import type { Disagreement, Snapshot } from "../snapshot";

/** No forward is of the port that Cumulus itself listens on. */
export function checkShadowedForwards({ shadowedForwards }: Snapshot): Disagreement[] {
  return shadowedForwards.map((forward) => ({
    check: "forwards",
    subject: `${forward.hostAddress}:${forward.hostPort}`,
    message: shadowedInWords(forward),
  }));
}
