import type { NextConfig } from "next";

const config: NextConfig = {
  poweredByHeader: false,
  // Next would otherwise write files for coding tools into the checkout.
  agentRules: false,
  // Routes are loaded when they are first asked for: all of them take 50 MB that an upload has better use for.
  experimental: { agentUpgrade: false, preloadEntriesOnStart: false },
  reactStrictMode: true,
  // `npm run check` checks types; `npm run up` needs not.
  typescript: { ignoreBuildErrors: true },
  // The development server refuses its own scripts to a browser that says 127.0.0.1 unless it is named here.
  allowedDevOrigins: ["127.0.0.1"],
  serverExternalPackages: ["pg", "graphile-worker", "pino", "pino-pretty"],
};

export default config;
