import type { RecipeStep, RecipeStepOf } from "../../domain/recipe";

/** Steps as shell scripts for the guest, which run as root in any Linux. Every text of a recipe's is quoted. */

/** A word of shell that stands for the text, whatever is in it. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** Has Debian and its kin make a locale, and names it as the system's. One that the system then doesn't have is refused: programs would complain of it for ever. */
export function localeScript({ locale }: RecipeStepOf<"locale">): string {
  return `#!/bin/sh
set -e
locale=${quoted(locale)}
plain() { tr A-Z a-z | tr -d -; }
is_there() {
  case $locale in C | POSIX | C.UTF-8) return 0 ;; esac
  command -v locale >/dev/null && locale -a 2>/dev/null | plain | grep -qxF -e "$(echo "$locale" | plain)"
}
if ! is_there && [ -f /etc/locale.gen ] && command -v locale-gen >/dev/null; then
  line=$(grep -m 1 -e "^$locale " /usr/share/i18n/SUPPORTED) || line="$locale \${locale#*.}"
  echo "$line" >>/etc/locale.gen
  locale-gen
fi
if ! is_there; then
  echo "This image has no locale $locale: name one that it has, or install the package that brings it in a step before (locales, glibc-langpack-…)." >&2
  exit 1
fi
if [ -d /etc/default ]; then echo "LANG=$locale" >/etc/default/locale; fi
echo "LANG=$locale" >/etc/locale.conf
`;
}

/** Sets the time zone as timedatectl would, which needs a running system. */
function timezoneScript({ timezone }: RecipeStepOf<"timezone">): string {
  return `ln -sf ${quoted(`/usr/share/zoneinfo/${timezone}`)} /etc/localtime
[ ! -f /etc/timezone ] || echo ${quoted(timezone)} >/etc/timezone
`;
}

function fileScript({ path, content, encoding, permissions }: RecipeStepOf<"file">): string {
  const encoded = Buffer.from(content, encoding).toString("base64");
  const folder = path.slice(0, path.lastIndexOf("/")) || "/";
  return `mkdir -p ${quoted(folder)}
echo ${quoted(encoded)} | base64 -d >${quoted(path)}
chmod ${permissions} ${quoted(path)}
`;
}

function packagesScript({ packages }: RecipeStepOf<"packages">): string {
  const names = packages.map(quoted).join(" ");
  return `if command -v apt-get >/dev/null; then
  apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends ${names}
elif command -v dnf >/dev/null; then dnf install -y ${names}
elif command -v zypper >/dev/null; then zypper --non-interactive install ${names}
elif command -v pacman >/dev/null; then pacman -Sy --noconfirm ${names}
elif command -v apk >/dev/null; then apk add ${names}
else echo 'no package manager is known here' >&2; exit 1
fi
`;
}

/** A script of the recipe's own keeps its interpreter. */
function ownScript({ script }: RecipeStepOf<"script">): string {
  const encoded = Buffer.from(script).toString("base64");
  return `script=$(mktemp)
echo ${quoted(encoded)} | base64 -d >"$script"
chmod 700 "$script"
"$script"
rm -f "$script"
`;
}

function sshKeysScript({ keys }: RecipeStepOf<"ssh-keys">): string {
  return `umask 077
mkdir -p /root/.ssh
printf '%s\\n' ${keys.map(quoted).join(" ")} >>/root/.ssh/authorized_keys
umask 022
`;
}

/** The steps of a recipe as one script, for the first boot. It ends at the first step that fails. */
export function firstBootScript(steps: RecipeStep[]): string {
  return ["#!/bin/sh\nset -e\n", ...steps.map(firstBootStep)].join("");
}

/** Where cloud-init, and `mini`, keep what a machine's own user data asked for, which is done by then: a key a line. */
const askedFile = "/var/lib/cloud/instance/cloud-config.txt";

/** A time zone or locale that the machine was asked for itself counts more than its image's. */
function firstBootStep(step: RecipeStep): string {
  const script = scriptOf(step);
  if (step.type !== "timezone" && step.type !== "locale") return script;
  return `if ! grep -qs '^${step.type}:' ${askedFile}; then\n${script}fi\n`;
}

function scriptOf(step: RecipeStep): string {
  switch (step.type) {
    case "file":
      return fileScript(step);
    case "root-password":
      return `echo ${quoted(`root:${step.passwordHash}`)} | chpasswd -e\n`;
    case "timezone":
      return timezoneScript(step);
    case "locale":
      return ownScript({ type: "script", script: localeScript(step) });
    case "packages":
      return packagesScript(step);
    case "script":
      return ownScript(step);
    case "ssh-keys":
      return sshKeysScript(step);
    case "console":
      throw new Error("Steps on the console are typed, not run.");
  }
}
