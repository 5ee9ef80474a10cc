import type { Metadata, Viewport } from "next";
import type { ReactNode } from "react";
import "@fontsource-variable/geist/index.css";
import "@fontsource-variable/geist-mono/index.css";
import "./globals.css";
import { LazyToaster } from "../components/frame/LazyToaster";
import { themeScript } from "../components/frame/themeScript";
import { TooltipProvider } from "../components/ui/Tooltip";

export const metadata: Metadata = {
  title: { default: "Cumulus", template: "%s · Cumulus" },
  description: "A VPS cloud that you run on your own machine.",
};

export const viewport: Viewport = {
  themeColor: [
    { media: "(prefers-color-scheme: light)", color: "#fafafb" },
    { media: "(prefers-color-scheme: dark)", color: "#141518" },
  ],
};

export default function RootLayout({ children }: { children: ReactNode }) {
  return (
    <html lang="en" suppressHydrationWarning>
      <body>
        {/* biome-ignore lint/security/noDangerouslySetInnerHtml: a constant of ours, which must run before the first paint */}
        <script dangerouslySetInnerHTML={{ __html: themeScript }} />
        <TooltipProvider>{children}</TooltipProvider>
        <LazyToaster />
      </body>
    </html>
  );
}
