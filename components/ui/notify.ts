/** Confirms in passing that something was done. Errors never go here: they stand where they belong. */
export function notify(message: string): void {
  void import("sonner").then(({ toast }) => toast(message));
}
