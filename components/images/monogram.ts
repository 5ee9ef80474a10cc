/** Two letters that stand for an image's logo: "Cumulus mini" is "Cm", "Debian 12 (bookworm)" is "D12", "Alpine" is "Al". */
export function monogramOf(title: string): string {
  const [first = "", second = ""] = title.split(/\s+/);
  const number = /^\d{1,2}/.exec(second)?.[0];
  if (number) return first.slice(0, 1).toUpperCase() + number;
  return first.slice(0, 1).toUpperCase() + (second.slice(0, 1) || first.slice(1, 2)).toLowerCase();
}
