export const themes = ["system", "light", "dark"] as const;
export type Theme = (typeof themes)[number];

export const themeStorageKey = "cumulus-theme";

/** Runs before the first paint, so that a chosen theme never flashes. `system` needs nothing: the style sheet follows it. */
export const themeScript = `try{const t=localStorage.getItem("${themeStorageKey}");if(t==="light"||t==="dark")document.documentElement.dataset.theme=t}catch{}`;
