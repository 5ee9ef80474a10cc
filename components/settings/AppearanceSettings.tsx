"use client";

import { themeIcons, themeNames } from "../frame/ThemeMenu";
import { setTheme, useTheme } from "../frame/theme";
import { themes } from "../frame/themeScript";
import { Card } from "../ui/Card";
import { SegmentedControl } from "../ui/SegmentedControl";

export function AppearanceSettings() {
  const theme = useTheme();
  return (
    <Card title="Theme" description="Kept in this browser. System follows your computer’s setting.">
      <SegmentedControl
        label="Theme"
        value={theme}
        onChange={setTheme}
        options={themes.map((each) => {
          const Icon = themeIcons[each];
          return {
            value: each,
            label: (
              <>
                <Icon aria-hidden className="size-4" />
                {themeNames[each]}
              </>
            ),
          };
        })}
      />
    </Card>
  );
}
