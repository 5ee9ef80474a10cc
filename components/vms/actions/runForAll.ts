import { messageOf } from "../../../lib/domain/errors";

export interface Failure<T> {
  item: T;
  message: string;
}

/** A browser opens six connections to a server; one is the event stream's. */
const atOnce = 4;

/** Does an act for each item, a few at a time; one failure stops no other. @returns what failed, in the items' order */
export async function runForAll<T>(items: readonly T[], act: (item: T) => Promise<unknown>): Promise<Failure<T>[]> {
  const failures = new Map<T, string>();
  const queue = [...items];
  const worker = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) {
      try {
        await act(item);
      } catch (error) {
        failures.set(item, messageOf(error));
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return items.flatMap((item) => {
    const message = failures.get(item);
    return message === undefined ? [] : [{ item, message }];
  });
}

/** "web-1: no memory is free. db: …" after how many of how many. Null when nothing failed. */
export function failureSummary(failures: readonly Failure<{ name: string }>[], total: number): string | null {
  const [first] = failures;
  if (!first) return null;
  if (total === 1) return first.message;
  const shown = failures.slice(0, 3).map(({ item, message }) => `${item.name}: ${message}`);
  const rest = failures.length > shown.length ? [`And ${failures.length - shown.length} more.`] : [];
  return [`This failed for ${failures.length} of ${total} VMs.`, ...shown, ...rest].join(" ");
}
