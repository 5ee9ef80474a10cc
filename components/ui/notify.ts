const waiting: string[] = [];
const listeners = new Set<() => void>();

/** Confirms in passing that something was done. Errors never go here: they stand where they belong. */
export function notify(message: string): void {
  waiting.push(message);
  for (const listener of listeners) listener();
}

/** Messages that were not shown yet. */
export function takeNotices(): string[] {
  return waiting.splice(0);
}

/** Calls the listener when there is one to take. Returns the way to stop listening. */
export function onNotice(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
