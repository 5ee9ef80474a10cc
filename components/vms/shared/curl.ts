/** A word that a POSIX shell reads as exactly this text: left alone when it is plain, else in single quotes. */
export function shellWord(text: string): string {
  if (/^[A-Za-z0-9_./:@%+=-]+$/.test(text)) return text;
  return `'${text.replaceAll("'", "'\\''")}'`;
}

export interface ApiCall {
  /** Scheme, host and port of the console: "http://127.0.0.1:3000". */
  origin: string;
  method: "GET" | "POST" | "PATCH" | "DELETE";
  /** "/api/vms". */
  path: string;
  body?: unknown;
}

/**
 * The same call as a curl command line for any POSIX shell. The token comes from `$CUMULUS_TOKEN`, so that the line can be shown and
 * pasted without a secret in it.
 */
export function curlCommand({ origin, method, path, body }: ApiCall): string {
  const parts = ["curl -sS"];
  if (method !== "GET" && !(method === "POST" && body !== undefined)) parts[0] += ` -X ${method}`;
  parts[0] += ` ${shellWord(origin + path)}`;
  parts.push('-H "Authorization: Bearer $CUMULUS_TOKEN"');
  if (body !== undefined) {
    parts.push("-H 'Content-Type: application/json'", `-d ${shellWord(JSON.stringify(body, null, 2))}`);
  }
  return parts.join(" \\\n  ");
}
