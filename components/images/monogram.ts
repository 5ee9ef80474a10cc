/** Systems whose first letter is another's too, or says nothing. */
const lettersOf: Record<string, string> = { AlmaLinux: "AL", Arch: "Ar", openSUSE: "SU" };

/**
 * What stands for an image's logo, at most four signs: letters of the system and the number that tells its release. "Debian 12 (bookworm)" is "D12",
 * "openSUSE Leap 16.0" is "SU16", "Alpine Linux 3.24" is "A24" (its 3 has been the same for ten years), "Arch Linux" is "Ar", "Cumulus mini" is "Cm".
 */
export function monogramOf(title: string): string {
  const [first = "", second = "", third = ""] = title.split(/\s+/);
  const known = Object.hasOwn(lettersOf, first) ? lettersOf[first] : undefined;
  const release = releaseNumber(second) ?? releaseNumber(third);
  if (release !== undefined) return (known ?? first.slice(0, 1).toUpperCase()) + release;
  return known ?? first.slice(0, 1).toUpperCase() + (second.slice(0, 1) || first.slice(1, 2)).toLowerCase();
}

function releaseNumber(word: string): string | undefined {
  return /^(?:3\.(?=\d\d))?(\d{1,2})/.exec(word)?.[1];
}
