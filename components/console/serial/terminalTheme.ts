import type { ITheme } from "@xterm/xterm";

/** Colours of a terminal on the two themes' surfaces; text colours keep a contrast of 4.5 : 1. */
const dark: ITheme = {
  background: "#101114",
  foreground: "#ededf0",
  cursor: "#ededf0",
  cursorAccent: "#101114",
  selectionBackground: "#2b4576",
  black: "#3a3d45",
  red: "#f2736f",
  green: "#5cc98a",
  yellow: "#e0a32e",
  blue: "#86aefc",
  magenta: "#d39bf0",
  cyan: "#5cc9d3",
  white: "#d3d5db",
  brightBlack: "#8b8f99",
  brightRed: "#f79a95",
  brightGreen: "#86dcab",
  brightYellow: "#ecbb5c",
  brightBlue: "#aac6fd",
  brightMagenta: "#e3bff6",
  brightCyan: "#8fdde4",
  brightWhite: "#ffffff",
};

const light: ITheme = {
  background: "#ffffff",
  foreground: "#17181c",
  cursor: "#17181c",
  cursorAccent: "#ffffff",
  selectionBackground: "#cfe0fd",
  black: "#17181c",
  red: "#b12525",
  green: "#11713a",
  yellow: "#845200",
  blue: "#1d57cd",
  magenta: "#8a2fb0",
  cyan: "#0b6b75",
  white: "#5c606b",
  brightBlack: "#666973",
  brightRed: "#c92f2f",
  brightGreen: "#0f7a3d",
  brightYellow: "#8f5a00",
  brightBlue: "#2160e0",
  brightMagenta: "#9d3ac6",
  brightCyan: "#0a727d",
  brightWhite: "#3a3d45",
};

export const terminalThemes = { dark, light };
export type ColorScheme = keyof typeof terminalThemes;
