import type { Disagreement, NetworkFact } from "../snapshot";
import { differenceOfLines } from "./differenceOfLines";
import { comesBack, tellOfNetworks as tell } from "./words";

/** Name servers read the names and the MACs of their networks' interfaces, and no others. */
export function checkNameFiles({ nameFiles }: NetworkFact): Disagreement[] {
  return nameFiles.flatMap(({ networkId, path, expected, found }) => {
    const difference = found === null ? "can't be read" : differenceOfLines(expected, found);
    if (difference === null) return [];
    return [
      tell(
        `name file ${path}`,
        `${path}, by which network ${networkId} has its names and addresses, ${difference}: ${comesBack}`,
      ),
    ];
  });
}
