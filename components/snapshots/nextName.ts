/** The first free name after another: "web" → "web-2", "web-2" → "web-3". At most 63 characters, as a host name has. */
export function nextName(baseName: string, taken: ReadonlySet<string>): string {
  const [, stem = baseName, number = "1"] = /^(.*?)-(\d{1,6})$/.exec(baseName) ?? [];
  for (let next = Number(number) + 1; ; next++) {
    const ending = `-${next}`;
    const name = stem.slice(0, 63 - ending.length) + ending;
    if (!taken.has(name)) return name;
  }
}
