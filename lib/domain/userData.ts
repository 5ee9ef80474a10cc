import { type Document, isMap, isNode, isScalar, parseDocument, type Tags } from "yaml";
import { toBase64 } from "./base64";
import { type ConfigProblem, configProblems, listKeys, unknownKeys } from "./cloudConfig";

export interface UserDataProblem {
  /** 1-based; null when it is about the whole. */
  line: number | null;
  message: string;
}

export type ParsedUserData =
  | { kind: "cloud-config"; config: Record<string, unknown>; document: Document; problems: [] }
  | { kind: "script"; script: string; problems: [] }
  | { kind: "invalid"; problems: UserDataProblem[] };

/**
 * Reads cloud-init user-data (cloud-init, "User-data formats"): a `#cloud-config` document or a script that starts with `#!`. Other formats
 * (MIME multi-part, includes, jinja) are refused with the reason. What the values mean is not looked at: see {@link judgeUserData}.
 */
export function parseUserData(text: string): ParsedUserData {
  if (text.includes("\0")) return invalid(null, "User data is text: it must not hold a NUL character.");
  if (text.startsWith("#!")) return { kind: "script", script: text, problems: [] };
  const [firstLine = ""] = text.split("\n", 1);
  if (firstLine.trim() !== "#cloud-config") {
    return invalid(1, 'The first line must be "#cloud-config", or start with "#!" for a script.');
  }
  const document = parseDocument(text, { prettyErrors: false, version: "1.1", customTags: withoutDates });
  if (document.errors.length > 0) {
    return {
      kind: "invalid",
      problems: document.errors.map((error) => ({ line: lineOf(text, error.pos[0]), message: error.message })),
    };
  }
  let config: unknown;
  try {
    config = document.toJS({ maxAliasCount: 20 }) ?? {};
  } catch (error) {
    return invalid(null, `This can't be read: ${error instanceof Error ? error.message : String(error)}.`);
  }
  if (typeof config !== "object" || config === null || Array.isArray(config)) {
    return invalid(2, "A #cloud-config holds keys and values, such as `packages: [htop]`.");
  }
  const problems = Object.entries(config)
    .filter(([key, value]) => listKeys.includes(key) && !Array.isArray(value))
    .map(([key]) => ({ line: lineAt(text, document, [key]), message: `"${key}" must be a list.` }));
  if (problems.length > 0) return { kind: "invalid", problems };
  const plain = withTextContents(config as Record<string, unknown>);
  return { kind: "cloud-config", config: plain, document, problems: [] };
}

/** To cloud-init a date is the text that it is written as. */
function withoutDates(tags: Tags): Tags {
  return tags.filter((tag) => typeof tag === "string" || !tag.tag.endsWith(":timestamp"));
}

/** Files whose content is given as bytes (`!!binary`), which JSON has no word for, in base64 (cloud-init, "Write Files"). */
function withTextContents(config: Record<string, unknown>): Record<string, unknown> {
  const { write_files: files } = config;
  if (!Array.isArray(files)) return config;
  return { ...config, write_files: files.map(withTextContent) };
}

function withTextContent(file: unknown): unknown {
  if (typeof file !== "object" || file === null || !("content" in file)) return file;
  if (!(file.content instanceof Uint8Array)) return file;
  const isPacked = "encoding" in file && /^gz/.test(String(file.encoding));
  return { ...file, content: toBase64(file.content), encoding: isPacked ? "gz+b64" : "b64" };
}

/**
 * What is wrong with user data that somebody gives, and what may be. Stricter than {@link parseUserData}, by which VMs start whose user data was taken
 * before.
 */
export function judgeUserData(text: string): { problems: UserDataProblem[]; warnings: UserDataProblem[] } {
  const parsed = parseUserData(text);
  if (parsed.kind !== "cloud-config") return { problems: parsed.problems, warnings: [] };
  const { config, document } = parsed;
  const withLine = ({ path, message }: ConfigProblem) => ({ line: lineAt(text, document, path), message });
  return { problems: configProblems(config).map(withLine), warnings: unknownKeys(config).map(withLine) };
}

/**
 * Merges a user's cloud-config over ours: lists that both have are ours followed by theirs, but for users of ours that they describe too; for
 * all other keys theirs wins.
 */
export function mergeCloudConfig(
  ours: Record<string, unknown>,
  theirs: Record<string, unknown>,
): Record<string, unknown> {
  const merged: Record<string, unknown> = { ...ours };
  for (const [key, value] of Object.entries(theirs)) {
    const own = merged[key];
    const areLists = listKeys.includes(key) && Array.isArray(own) && Array.isArray(value);
    merged[key] = areLists ? [...(key === "users" ? withoutUsersOf(own, value) : own), ...value] : value;
  }
  return merged;
}

/** Whether the system has its default user with a cloud-config's `users`: a list without `default` takes it away. */
export function keepsDefaultUser({ users }: Record<string, unknown>): boolean {
  return !Array.isArray(users) || users.some((user) => nameOf(user) === "default");
}

/** `default`, the image's own user, and a user's entry stand for the name alone. */
function nameOf(user: unknown): unknown {
  return typeof user === "object" && user !== null && "name" in user ? user.name : user;
}

function withoutUsersOf(ours: unknown[], theirs: unknown[]): unknown[] {
  const names = new Set(theirs.map(nameOf));
  return ours.filter((user) => !names.has(nameOf(user)));
}

function invalid(line: number | null, message: string): ParsedUserData {
  return { kind: "invalid", problems: [{ line, message }] };
}

function lineOf(text: string, offset: number): number {
  return text.slice(0, offset).split("\n").length;
}

/** The line of a list's entry, or else of the key that it is under: an alias' entries are elsewhere. */
function lineAt(text: string, document: Document, [key, ...rest]: ConfigProblem["path"]): number | null {
  const entry = rest.length > 0 ? document.getIn([key, ...rest], true) : undefined;
  const pairs = isMap(document.contents) ? document.contents.items : [];
  const keyNode = pairs.map((pair) => pair.key).find((node) => isScalar(node) && node.value === key);
  const node = isNode(entry) ? entry : keyNode;
  return isNode(node) && node.range ? lineOf(text, node.range[0]) : null;
}
