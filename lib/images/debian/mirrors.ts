import { execa } from "execa";

/**
 * Lines of sources.list for mmdebstrap: the mirrors that this host's own apt uses for the suite and its updates; Debian's own where it
 * has none. They are the build's alone: the image itself names Debian's.
 */
export async function mirrorsOf(suite: string): Promise<string[]> {
  const format = ["--format", "$(REPO_URI) $(RELEASE)", "Created-By: Packages", "Component: main"];
  const { stdout = "" } = await execa("apt-get", ["indextargets", ...format], { reject: false });
  const known = new Map(stdout.split("\n").map((line) => line.split(" ").reverse() as [string, string]));
  const sites = {
    [suite]: "http://deb.debian.org/debian",
    [`${suite}-updates`]: "http://deb.debian.org/debian",
    [`${suite}-security`]: "http://deb.debian.org/debian-security",
  };
  return Object.entries(sites).map(([release, site]) => `deb ${known.get(release) ?? site} ${release} main`);
}
