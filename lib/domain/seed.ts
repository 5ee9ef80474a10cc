import { type FirstBoot, firstBootConfig } from "./firstBoot";
import { rangeOf } from "./ipv4";
import type { SeedDocuments } from "./machine";
import { ownIdentityCommand } from "./ownIdentity";
import { keepsDefaultUser, mergeCloudConfig, parseUserData } from "./userData";
import type { GuestFile } from "./vm";

export interface SeedInput {
  uuid: string;
  hostname: string;
  loginUser: string;
  publicKeys: readonly string[];
  userData: string | null;
  files: readonly GuestFile[];
  firstBoot: FirstBoot;
  /** Of users that are made; null: as the image has it. */
  userShell: string | null;
  mac: string;
  ipv4: string;
  cidr: string;
  gateway: string;
  /** In a /64, where the network has IPv6; besides, DHCPv6 gives it to a VM that asks. */
  ipv6?: { address: string; gateway: string };
  dns: string;
  /** What completes short names; none where nothing resolves them. */
  searchDomain?: string;
  /** Interfaces beyond the first, which have no way out of their own: that is the first one's. */
  further: readonly { id: string; mac: string; ipv4: string; cidr: string; ipv6?: string }[];
}

/**
 * The NoCloud seed of a VM (cloud-init, "NoCloud"; network-config version 2). The interface is matched by MAC: matched by driver it cost 120 s and left no
 * network.
 */
export function seedOf(input: SeedInput): SeedDocuments {
  const further = input.further.map(({ id, mac, ipv4, cidr, ipv6 }) => {
    const name = id.replace("net", "eth");
    return [name, { match: { macaddress: mac }, "set-name": name, addresses: addressesOf(ipv4, cidr, ipv6) }];
  });
  return {
    metaData: { "instance-id": input.uuid, "local-hostname": input.hostname },
    userData: { cloudConfig: cloudConfigOf(input) },
    networkConfig: {
      version: 2,
      ethernets: {
        eth0: {
          match: { macaddress: input.mac },
          "set-name": "eth0",
          addresses: addressesOf(input.ipv4, input.cidr, input.ipv6?.address),
          routes: [
            { to: "0.0.0.0/0", via: input.gateway },
            ...(input.ipv6 ? [{ to: "::/0", via: input.ipv6.gateway }] : []),
          ],
          nameservers: {
            addresses: [input.dns],
            ...(input.searchDomain !== undefined && { search: [input.searchDomain] }),
          },
        },
        ...Object.fromEntries(further),
      },
    },
  };
}

function addressesOf(ipv4: string, cidr: string, ipv6: string | undefined): string[] {
  const { first, last } = rangeOf(cidr);
  return [`${ipv4}/${32 - Math.log2(last - first + 1)}`, ...(ipv6 === undefined ? [] : [`${ipv6}/64`])];
}

/** `userShell` for an image of an operating system: people expect bash, which Alpine's images don't have. */
export function userShellOf(osFamily: string | undefined): string | null {
  return osFamily === "alpine" ? null : "/bin/bash";
}

type CloudConfigInput = Pick<
  SeedInput,
  "hostname" | "loginUser" | "publicKeys" | "files" | "firstBoot" | "userShell" | "userData"
>;

/**
 * What Cumulus asks of cloud-init: keys for the image's login user, no SSH by password, an identity of its own, files, and what was asked of the
 * first boot.
 */
function baseCloudConfig(input: CloudConfigInput, theirs: Record<string, unknown>): Record<string, unknown> {
  // Beside one by name, cloud-init would overlook the user data's.
  const firstBoot = "password" in theirs ? { ...input.firstBoot, passwordHash: null } : input.firstBoot;
  return {
    hostname: input.hostname,
    // cloud-init complains of an empty list.
    ...(input.publicKeys.length > 0 && { ssh_authorized_keys: [...input.publicKeys] }),
    disable_root: input.loginUser !== "root",
    ssh_pwauth: false,
    // Otherwise cloud-init sets up at the first boot alone what network-config says. Its "hotplug" can't be had from a NoCloud seed.
    updates: { network: { when: ["boot"] } },
    bootcmd: [ownIdentityCommand],
    ...firstBootConfig(firstBoot, { passwordUser: passwordUserOf(input, theirs), userShell: input.userShell }),
    ...(input.files.length > 0 && {
      write_files: input.files.map(({ path, content, encoding, permissions, owner }) => ({
        path,
        content,
        ...(encoding === "base64" && { encoding: "b64" }),
        permissions: permissions ?? "0644",
        ...(owner && { owner }),
      })),
    }),
  };
}

/**
 * Whom the password is for, by name; null: the default user, who gets the SSH keys too: what an image says of that name may be wrong, and a
 * cloud-init of before 22.3 overlooks `users` of `chpasswd`. root is named, since it is there in any system, whoever is the default user.
 */
function passwordUserOf({ loginUser, firstBoot }: CloudConfigInput, theirs: Record<string, unknown>): string | null {
  const hasDefaultUser = firstBoot.users.length > 0 || keepsDefaultUser(theirs);
  return loginUser === "root" || !hasDefaultUser ? loginUser : null;
}

/** The `#cloud-config` of a VM: Cumulus' own part with the user data merged over it. */
export function cloudConfigOf(input: CloudConfigInput): Record<string, unknown> {
  if (input.userData === null) return baseCloudConfig(input, {});
  const theirs = parseUserData(input.userData);
  const ours = baseCloudConfig(input, theirs.kind === "cloud-config" ? theirs.config : {});
  if (theirs.kind === "cloud-config") return mergeCloudConfig(ours, theirs.config);
  // A script runs as the last thing of the first boot; as a cloud-config it leaves room for the keys.
  const script = theirs.kind === "script" ? theirs.script : input.userData;
  const path = "/var/lib/cumulus/user-data";
  return mergeCloudConfig(ours, {
    write_files: [{ path, content: script, permissions: "0700" }],
    runcmd: [[path]],
  });
}
