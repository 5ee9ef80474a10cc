/**
 * Where to go after signing in: a path of this site, else "/".
 * Another origin could hide in "//host", "/\host" or behind control characters, which browsers drop.
 */
export function localPath(next: string | string[] | undefined): string {
  return typeof next === "string" && /^\/(?![/\\])[\x20-\x7e]*$/.test(next) ? next : "/";
}
