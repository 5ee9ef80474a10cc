import { rangeOf } from "./ipv4";
import type { SeedDocuments } from "./machine";
import { mergeCloudConfig, parseUserData } from "./userData";
import type { GuestFile } from "./vm";

export interface SeedInput {
  uuid: string;
  hostname: string;
  loginUser: string;
  publicKeys: readonly string[];
  userData: string | null;
  files: readonly GuestFile[];
  mac: string;
  ipv4: string;
  cidr: string;
  gateway: string;
  dns: string;
}

/**
 * The NoCloud seed of a VM (cloud-init, "NoCloud"; network-config version 2). The interface is matched by MAC: matched by driver it cost 120 s and left no
 * network.
 */
export function seedOf(input: SeedInput): SeedDocuments {
  const { first, last } = rangeOf(input.cidr);
  const prefixLength = 32 - Math.log2(last - first + 1);
  return {
    metaData: { "instance-id": input.uuid, "local-hostname": input.hostname },
    userData: userDataOf(input),
    networkConfig: {
      version: 2,
      ethernets: {
        eth0: {
          match: { macaddress: input.mac },
          "set-name": "eth0",
          addresses: [`${input.ipv4}/${prefixLength}`],
          routes: [{ to: "0.0.0.0/0", via: input.gateway }],
          nameservers: { addresses: [input.dns] },
        },
      },
    },
  };
}

/** What Cumulus asks of cloud-init: keys for the image's login user, no password login, and the files. */
export function baseCloudConfig(
  input: Pick<SeedInput, "hostname" | "loginUser" | "publicKeys" | "files">,
): Record<string, unknown> {
  return {
    hostname: input.hostname,
    ssh_authorized_keys: [...input.publicKeys],
    disable_root: input.loginUser !== "root",
    ssh_pwauth: false,
    ...(input.files.length > 0 && {
      write_files: input.files.map(({ path, content, permissions, owner }) => ({
        path,
        content,
        permissions: permissions ?? "0644",
        ...(owner && { owner }),
      })),
    }),
  };
}

function userDataOf(input: SeedInput): SeedDocuments["userData"] {
  const ours = baseCloudConfig(input);
  if (input.userData === null) return { cloudConfig: ours };
  const theirs = parseUserData(input.userData);
  if (theirs.kind === "cloud-config") return { cloudConfig: mergeCloudConfig(ours, theirs.config) };
  // A script runs as the last thing of the first boot; as a cloud-config it leaves room for the keys.
  const script = theirs.kind === "script" ? theirs.script : input.userData;
  const path = "/var/lib/cumulus/user-data";
  return {
    cloudConfig: mergeCloudConfig(ours, {
      write_files: [{ path, content: script, permissions: "0700" }],
      runcmd: [[path]],
    }),
  };
}
