import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { expect, test } from "vitest";
import { projectDir } from "./paths";

/**
 * Which folder may import from which. Arrows never point up: what is below knows nothing of what is above, so that it can be read, tested and
 * replaced by itself.
 */
const mayImport: Record<string, readonly string[]> = {
  "lib/domain": [],
  "lib/system": ["lib/domain"],
  "lib/browser": ["lib/domain"],
  "lib/db": ["lib/domain", "lib/system"],
  "lib/images": ["lib/domain", "lib/system", "lib/hypervisor"],
  "lib/hypervisor": ["lib/domain", "lib/system", "lib/images"],
  "lib/backups": ["lib/domain", "lib/system", "lib/images", "lib/hypervisor"],
  "lib/archives": ["lib/domain", "lib/system"],
  "lib/agent": ["lib/domain", "lib/system", "lib/hypervisor", "lib/images", "lib/backups", "lib/archives"],
  "lib/console": ["lib/domain", "lib/system"],
  "lib/auth": ["lib/domain", "lib/db", "lib/control", "lib/api", "lib/services"],
  "lib/control": ["lib/domain", "lib/db", "lib/agent", "lib/auth", "lib/archives"],
  "lib/api": ["lib/domain", "lib/db", "lib/control", "lib/auth", "lib/console", "lib/services"],
  "lib/doctor": [
    "lib/domain",
    "lib/db",
    "lib/system",
    "lib/images",
    "lib/control/networks/consolePort",
    "lib/control/networks/driver",
    "lib/control/networks/state",
    "lib/hypervisor/network/dnsmasqConfig",
    "lib/hypervisor/network/foreignFirewall",
    "lib/hypervisor/network/guardRules",
    "lib/hypervisor/network/hostRules",
    "lib/hypervisor/network/legacyFirewall",
    "lib/hypervisor/network/names",
    "lib/hypervisor/network/nftTable",
    "lib/hypervisor/network/routingRules",
    "lib/hypervisor/network/uplink",
    "lib/hypervisor/network/uplinkAddresses",
  ],
  "lib/up": [
    "lib/domain",
    "lib/db",
    "lib/system",
    "lib/agent",
    "lib/images",
    "lib/auth",
    "lib/hypervisor/network/removeNetworks",
    "lib/hypervisor/qemu/findQemus",
  ],
  components: ["lib/domain", "lib/browser", "lib/api/client", "lib/vmTitle"],
  app: ["lib/domain", "lib/api", "lib/auth", "lib/services", "lib/vmTitle", "lib/guides", "components"],
};

/** Small things that all of the server side stands on. */
const forAll = ["lib/env", "lib/paths", "lib/log", "lib/version", "lib/failpoints", "lib/serviceAccount"];

const bans: { pattern: RegExp; where: RegExp; why: string }[] = [
  {
    pattern: /dangerouslySetInnerHTML/,
    where: /^(?!app\/layout\.tsx$)/,
    why: "text from guests and users is shown as text; only the layout's own theme script is markup",
  },
  {
    pattern: /\bshell: true\b|\bexecSync\(|\{[^}]*\bexec\b[^}]*\} from "node:child_process"/,
    where: /^lib\//,
    why: "no shell: names and paths would be code",
  },
  {
    pattern: /setInterval\([^)]*(fetch|mutate)/,
    where: /^(app|components)\//,
    why: "the server tells of changes; no page polls",
  },
];

const files = ["app", "components", "lib"].flatMap((folder) =>
  readdirSync(join(projectDir, folder), { recursive: true, encoding: "utf8" })
    .filter(
      (file) =>
        /\.tsx?$/.test(file) && !/\.test\.tsx?$/.test(file) && !/(^|\/)test[A-Z]\w*\.ts$|\/testing\//.test(file),
    )
    .map((file) => `${folder}/${file}`),
);

function layerOf(file: string): string | undefined {
  return Object.keys(mayImport).find((layer) => file === layer || file.startsWith(`${layer}/`));
}

function importsOf(file: string): string[] {
  const source = readFileSync(join(projectDir, file), "utf8");
  return [...source.matchAll(/(?:from|import)\s*\(?\s*"(\.[^"]+)"/g)].map(([, path]) =>
    normalize(join(dirname(file), path ?? "")),
  );
}

test("imports between layers point down", () => {
  const wrong = files.flatMap((file) => {
    const layer = layerOf(file);
    if (!layer) return [];
    const allowed = [layer, ...(mayImport[layer] ?? []), ...(layer === "components" ? [] : forAll)];
    return importsOf(file)
      .filter((path) => path.startsWith("lib/") || path.startsWith("components/") || path.startsWith("app/"))
      .filter((path) => !allowed.some((one) => path === one || path.startsWith(`${one}/`)))
      .map((path) => `${file} imports ${path}`);
  });
  expect(wrong).toEqual([]);
});

test.each(bans)("$pattern stays out: $why", ({ pattern, where }) => {
  const found = files.filter((file) => where.test(file) && pattern.test(readFileSync(join(projectDir, file), "utf8")));
  expect(found).toEqual([]);
});
