/** A transcript of a terminal: what is typed at which prompt, and what is printed in between. */
export interface Exchange {
  /** Where it stands in the page, counted from 1. */
  line: number;
  /** As the page shows it, with the space that follows. */
  prompt: string;
  /** What is typed; lines of one command are parted by line ends. Without Enter where it is a control key. */
  input: string;
  /** The lines that the page shows after it, until the next prompt. */
  output: string[];
}

const secretPrompt = /^(?:\S+ )?[Pp]assword:\s*$/;
/** Where somebody types: a shell of the host, one of a guest, a login, a question. */
const prompts = [/^\$ /, /^root@[\w.-]+:\S+# /, /^[\w-]+ login: /, /^Are you sure .*\? /];

/**
 * What is typed and printed in a page's fenced blocks of the kind `console`, in order. A command goes on after a `\` at the end of its line, and to the end of
 * its here-document. At a prompt for a password, the password is typed. Pure.
 * @param password for such prompts, which terminals don't show
 */
export function readTranscript(page: string, password: string): Exchange[] {
  const exchanges: Exchange[] = [];
  let isInBlock = false;
  for (const [index, line] of page.split("\n").entries()) {
    const last = exchanges.at(-1);
    if (line.startsWith("```")) {
      isInBlock = line === "```console";
    } else if (isInBlock && last && isUnfinished(last.input)) {
      last.input += `\n${line}`;
    } else if (isInBlock) {
      const started = startOf(line, password);
      if (started) exchanges.push({ line: index + 1, ...started, output: [] });
      else if (last) last.output.push(line);
      else throw new Error(`Line ${index + 1}: the page's first block starts with no prompt.`);
    }
  }
  return exchanges;
}

function isUnfinished(input: string): boolean {
  const end = /<< ?'?(\w+)'?$/m.exec(input)?.[1];
  return input.endsWith("\\") || (end !== undefined && !input.endsWith(`\n${end}`));
}

function startOf(line: string, password: string): Pick<Exchange, "prompt" | "input"> | null {
  if (secretPrompt.test(line)) return { prompt: `${line.trimEnd()} `, input: password };
  for (const pattern of prompts) {
    const prompt = pattern.exec(line)?.[0];
    if (prompt !== undefined) return { prompt, input: line.slice(prompt.length) };
  }
  return null;
}

/**
 * Compares what was printed with what the page shows. There, `...` stands for any lines, and `<name>` for what the pattern of that name matches. Pure.
 * @returns what differs, in a sentence; null when nothing does
 */
export function differenceOf(printed: string, shown: string[], wildcards: Record<string, RegExp>): string | null {
  const lines = printed.split("\n").map((line) => line.trimEnd());
  const isMatch = patternOf(trimmed(shown), wildcards).test(
    trimmed(lines)
      .map((line) => `${line}\n`)
      .join(""),
  );
  if (isMatch) return null;
  return `The page shows:\n${indented(shown)}\nPrinted was:\n${indented(lines)}`;
}

function patternOf(shown: string[], wildcards: Record<string, RegExp>): RegExp {
  const names = Object.keys(wildcards).join("|");
  const ofLine = (line: string) =>
    line
      .trimEnd()
      .split(new RegExp(`<(${names})>`))
      .map((part, index) =>
        index % 2 === 1 ? `(?:${wildcards[part]?.source})` : part.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&"),
      )
      .join("");
  const source = shown.map((line) => (line.trim() === "..." ? "(?:.*\\n)*?" : `${ofLine(line)}\\n`)).join("");
  return new RegExp(`^${source}$`);
}

/** Without empty lines at either end. */
function trimmed(lines: string[]): string[] {
  const isFull = (line: string) => line.trim() !== "";
  const last = lines.findLastIndex(isFull);
  return last < 0 ? [] : lines.slice(lines.findIndex(isFull), last + 1);
}

function indented(lines: string[]): string {
  return lines.map((line) => `  | ${line}`).join("\n");
}
