import type { Context } from "./context";

const lastOf = new WeakMap<Context, Promise<unknown>>();

/**
 * Runs what would wait for the same row's lock one after the other within this process, in the order of asking: while it waits it holds no connection, of
 * which everything else needs some.
 */
export function inTurn<T>(context: Context, act: () => Promise<T>): Promise<T> {
  const turn = (lastOf.get(context) ?? Promise.resolve()).then(act);
  lastOf.set(
    context,
    turn.catch(() => undefined),
  );
  return turn;
}
