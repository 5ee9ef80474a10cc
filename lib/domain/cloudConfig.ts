/**
 * What cloud-init takes in a `#cloud-config`, of what people use most: a value that no release since 22.4 (Debian 12's) can do anything with is an error, and
 * what a release may take but for a complaint is none (cloud-init, "schema-cloud-config-v1.json").
 */

interface EntryRule {
  isRight: (entry: unknown) => boolean;
  /** What an entry is, for people. */
  words: string;
}

const commandRule: EntryRule = {
  // cloud-init turns the words of a list into text, and leaves out a command that is nothing.
  isRight: (entry) => entry === null || isText(entry) || isListOf(entry, isScalar),
  words: 'a command is text, or a list of words. Quote text that holds ": ", and "true" and numbers',
};

const entryRules: Record<string, EntryRule> = {
  users: {
    // Without a name it is the system's own.
    isRight: (entry) => isText(entry) || isListOf(entry, isText) || isMap(entry),
    words: "a user is a name, or keys and values",
  },
  ssh_authorized_keys: { isRight: isText, words: "a key is text" },
  write_files: {
    isRight: (entry) => isMap(entry) && isText(entry.path) && (entry.content == null || isText(entry.content)),
    words: 'a file is keys and values with a "path", and its "content" is text',
  },
  runcmd: commandRule,
  bootcmd: commandRule,
  packages: {
    isRight: (entry) =>
      isPackage(entry) || (isMap(entry) && Object.values(entry).every((list) => isListOf(list, isPackage))),
    words:
      "a package is a name, a list of its name and version, or a package manager's name with a list of packages, such as `apt: [nginx]`",
  },
};

/** Keys whose lists Cumulus adds to. */
export const listKeys: readonly string[] = Object.keys(entryRules);

const textKeys = ["hostname", "fqdn", "timezone", "locale", "password", "final_message", "package_reboot_if_required"];
const switchKeys = [
  ...["package_update", "package_upgrade", "ssh_pwauth", "disable_root", "preserve_hostname", "ssh_deletekeys"],
  ...["manage_etc_hosts", "manage_resolv_conf", "prefer_fqdn_over_hostname", "resize_rootfs"],
];

/** All keys of cloud-init's own modules, of 22.4 and since. */
const knownKeys = new Set([
  ...["allow_public_ssh_keys", "ansible", "apk_repos", "apt", "apt_pipelining", "apt_reboot_if_required", "apt_update"],
  ...["apt_upgrade", "authkey_hash", "autoinstall", "bootcmd", "byobu_by_default", "ca-certs", "ca_certs", "chef"],
  ...["chpasswd", "cloud_config_modules", "cloud_final_modules", "cloud_init_modules", "create_hostname_file"],
  ...["device_aliases", "disable_ec2_metadata", "disable_piwiz", "disable_root", "disable_root_opts", "disk_setup"],
  ...["drivers", "enable_rpi_connect", "fan", "final_message", "fqdn", "fs_setup", "groups", "growpart", "grub-dpkg"],
  ...["grub_dpkg", "hostname", "keyboard", "landscape", "launch-index", "locale", "locale_configfile", "lxd"],
  ...["manage_etc_hosts", "manage_resolv_conf", "mcollective", "merge_how", "merge_type", "migrate"],
  ...["mount_default_fields", "mounts", "no_ssh_fingerprints", "ntp", "output", "package_reboot_if_required"],
  ...["package_update", "package_upgrade", "packages", "password", "phone_home", "power_state"],
  ...["prefer_fqdn_over_hostname", "preserve_hostname", "puppet", "random_seed", "reporting", "resize_rootfs"],
  ...["resolv_conf", "rh_subscription", "rpi_interfaces", "rpi_userconf", "rsyslog", "runcmd", "salt_minion", "snap"],
  ...["spacewalk", "ssh", "ssh_authorized_keys", "ssh_deletekeys", "ssh_fp_console_blacklist", "ssh_genkeytypes"],
  ...["ssh_import_id", "ssh_key_console_blacklist", "ssh_keys", "ssh_publish_hostkeys", "ssh_pwauth"],
  ...["ssh_quiet_keygen", "swap", "system_info", "timezone", "ubuntu_advantage", "ubuntu_pro", "updates", "user"],
  ...["users", "vendor_data", "version", "wireguard", "write_files", "yum_repo_dir", "yum_repos", "zypper"],
]);

/** Where in a cloud-config something is wrong, and what. */
export interface ConfigProblem {
  path: (string | number)[];
  message: string;
}

/** What cloud-init would refuse, or fail at. Pure. */
export function configProblems(config: Record<string, unknown>): ConfigProblem[] {
  return Object.entries(config).flatMap(([key, value]): ConfigProblem[] => {
    const rule = entryRules[key];
    if (rule && Array.isArray(value)) {
      return value.flatMap((entry, index) =>
        rule.isRight(entry) ? [] : [{ path: [key, index], message: `In "${key}", ${rule.words}.` }],
      );
    }
    if (isScalar(value)) return [];
    if (textKeys.includes(key)) return [{ path: [key], message: `"${key}" must be text.` }];
    if (switchKeys.includes(key)) return [{ path: [key], message: `"${key}" must be true or false.` }];
    return [];
  });
}

/** Keys that cloud-init would overlook, as far as is known here: a newer one, or a vendor's, may know them. Pure. */
export function unknownKeys(config: Record<string, unknown>): ConfigProblem[] {
  return Object.keys(config)
    .filter((key) => !knownKeys.has(key))
    .map((key) => ({ path: [key], message: `cloud-init has no key "${key}" of its own: is it spelt right?` }));
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function isScalar(value: unknown): boolean {
  return typeof value !== "object" || value === null;
}

function isMap(value: unknown): value is Record<string, unknown> {
  return !isScalar(value) && !Array.isArray(value);
}

function isListOf(value: unknown, isRight: (entry: unknown) => boolean): value is unknown[] {
  return Array.isArray(value) && value.every(isRight);
}

function isPackage(value: unknown): boolean {
  return isText(value) || (isListOf(value, isScalar) && value.length <= 2 && isText(value[0]));
}
