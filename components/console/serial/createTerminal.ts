import { FitAddon } from "@xterm/addon-fit";
import { Terminal } from "@xterm/xterm";
import "@xterm/xterm/css/xterm.css";
import { presentColorScheme, watchColorScheme } from "./colorScheme";
import { terminalThemes } from "./terminalTheme";

const scrollbackLines = 20_000;

export interface TerminalHandle {
  terminal: Terminal;
  dispose(): void;
}

/** Opens a terminal that fills the element and follows its size and the theme. Loaded when a terminal is first shown. */
export function createTerminal(parent: HTMLElement, label: string): TerminalHandle {
  const terminal = new Terminal({
    fontFamily: getComputedStyle(parent).fontFamily,
    fontSize: 13,
    scrollback: scrollbackLines,
    screenReaderMode: true,
    cursorBlink: !window.matchMedia("(prefers-reduced-motion: reduce)").matches,
    theme: terminalThemes[presentColorScheme()],
    minimumContrastRatio: 4.5,
  });
  const fit = new FitAddon();
  terminal.loadAddon(fit);
  terminal.open(parent);
  terminal.textarea?.setAttribute("aria-label", label);

  const resizes = new ResizeObserver(() => fit.fit());
  resizes.observe(parent);
  // The font may load after the first measurement, with another width.
  void document.fonts.ready.then(() => fit.fit());
  const stopWatching = watchColorScheme(() => {
    terminal.options.theme = terminalThemes[presentColorScheme()];
  });

  return {
    terminal,
    dispose() {
      resizes.disconnect();
      stopWatching();
      terminal.dispose();
    },
  };
}
