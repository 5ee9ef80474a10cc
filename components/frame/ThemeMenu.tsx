"use client";

import { Check, Monitor, Moon, Sun } from "lucide-react";
import { buttonClass } from "../ui/buttonClass";
import { Menu, MenuItem } from "../ui/Menu";
import { setTheme, useTheme } from "./theme";
import { type Theme, themes } from "./themeScript";

export const themeNames: Record<Theme, string> = { system: "System", light: "Light", dark: "Dark" };
export const themeIcons = { system: Monitor, light: Sun, dark: Moon } as const;

export function ThemeMenu() {
  const theme = useTheme();
  const Icon = themeIcons[theme];
  return (
    <Menu
      trigger={
        <button type="button" aria-label={`Theme: ${themeNames[theme]}`} className={buttonClass("ghost", "iconSm")}>
          <Icon aria-hidden />
        </button>
      }
    >
      {themes.map((each) => {
        const EachIcon = themeIcons[each];
        return (
          <MenuItem
            key={each}
            icon={<EachIcon aria-hidden />}
            onSelect={() => setTheme(each)}
            aside={each === theme ? <Check aria-label="chosen" className="mt-0.5 size-4" /> : undefined}
          >
            {themeNames[each]}
          </MenuItem>
        );
      })}
    </Menu>
  );
}
