"use client";

import { useEffect } from "react";
import { Toaster as Sonner, toast } from "sonner";
import { onNotice, takeNotices } from "../ui/notify";
import { useTheme } from "./theme";

export function Toaster() {
  const theme = useTheme();
  useEffect(() => {
    const show = () => {
      for (const message of takeNotices()) toast(message);
    };
    show();
    return onNotice(show);
  }, []);
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
