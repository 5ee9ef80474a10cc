/** Dispatched on the window before a page is left by other ways than a link. A form that holds something unsaved prevents it, and asks. */
export const leavingEvent = "cumulus-leaving";

export type Leaving = CustomEvent<{ go: () => void }>;

/** Leaves the page, unless something on it has to ask first; then it leaves when the answer says so. */
export function leaveBy(go: () => void): void {
  const leaving: Leaving = new CustomEvent(leavingEvent, { cancelable: true, detail: { go } });
  if (window.dispatchEvent(leaving)) go();
}

/** The address within the dashboard to which a click leads on this tab, away from the page; null for every other click. */
export function leavesFor(event: MouseEvent): string | null {
  if (event.defaultPrevented || event.button !== 0) return null;
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return null;
  const link = event.target instanceof Element ? event.target.closest("a[href]") : null;
  if (!(link instanceof HTMLAnchorElement) || link.hasAttribute("download")) return null;
  if (link.target !== "" && link.target !== "_self") return null;
  const { origin, pathname, search } = location;
  if (link.origin !== origin || (link.pathname === pathname && link.search === search)) return null;
  return `${link.pathname}${link.search}${link.hash}`;
}
