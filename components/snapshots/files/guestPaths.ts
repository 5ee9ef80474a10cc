/** A folder and all that it lies in, the root first. */
export function foldersOf(path: string): { name: string; path: string }[] {
  const names = path.split("/").filter(Boolean);
  const folders = names.map((name, index) => ({ name, path: `/${names.slice(0, index + 1).join("/")}` }));
  return [{ name: "/", path: "/" }, ...folders];
}

export function childOf(folder: string, name: string): string {
  return folder.endsWith("/") ? `${folder}${name}` : `${folder}/${name}`;
}

export function filesHref(snapshotId: number, path = "/"): string {
  return path === "/"
    ? `/snapshots/${snapshotId}/files`
    : `/snapshots/${snapshotId}/files?path=${encodeURIComponent(path)}`;
}

export function downloadHref(snapshotId: number, path: string): string {
  return `/api/snapshots/${snapshotId}/file?path=${encodeURIComponent(path)}`;
}
