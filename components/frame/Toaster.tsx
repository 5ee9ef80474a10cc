"use client";

import { Toaster as Sonner } from "sonner";
import { useTheme } from "./theme";

export function Toaster() {
  const theme = useTheme();
  return (
    <Sonner
      theme={theme}
      position="bottom-right"
      duration={3000}
      mobileOffset={{ bottom: 72 }}
      toastOptions={{
        style: {
          background: "var(--color-surface)",
          color: "var(--color-ink)",
          borderColor: "var(--color-line-strong)",
          borderRadius: "8px",
          boxShadow: "var(--shadow-float)",
          fontFamily: "var(--font-sans)",
          fontSize: "13px",
          padding: "10px 12px",
        },
      }}
    />
  );
}
