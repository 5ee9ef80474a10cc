import { CumulusError } from "../../domain/errors";
import type { Settings } from "../../env";

/** Which hosts the administrator allows though they are not of the public internet: `name` for any port, or `name:port`. Lower case. */
export type AllowedHosts = readonly string[];

/** A mirror is allowed by being configured. */
export function allowedHostsOf({
  imageHosts,
  imageMirror,
}: Pick<Settings, "imageHosts" | "imageMirror">): AllowedHosts {
  return imageMirror === null ? imageHosts : [...imageHosts, hostAndPort(new URL(imageMirror))];
}

export function isAllowedHost(url: URL, allowed: AllowedHosts): boolean {
  return allowed.includes(url.hostname) || allowed.includes(url.host) || allowed.includes(hostAndPort(url));
}

/** The address to fetch from. Throws `bad_request` for what is no http(s) address or names a user. */
export function parseImageUrl(text: string, base?: URL): URL {
  if (!URL.canParse(text, base)) throw notUsable(`"${text.slice(0, 200)}" is no address`);
  const url = new URL(text, base);
  if (url.protocol !== "https:" && url.protocol !== "http:") {
    throw notUsable(`addresses of images begin with https:// or http://, not ${url.protocol.slice(0, 20)}`);
  }
  if (url.username !== "" || url.password !== "") {
    throw notUsable(
      "it holds a user name or password, which would be kept and shown: download the file yourself and upload it",
    );
  }
  url.hash = "";
  return url;
}

function hostAndPort(url: URL): string {
  return `${url.hostname}:${url.port || (url.protocol === "https:" ? "443" : "80")}`;
}

function notUsable(why: string): CumulusError {
  const message = `The image can't be fetched: ${why}.`;
  return new CumulusError("bad_request", message, { fields: { url: message } });
}
