import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { BackupPlace, RepositoryAccess } from "../../domain/backup";
import { type S3Server, startS3Server } from "./s3Server";

/** An empty one, for the time of a test. */
export function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "backups-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** A repository in a folder. */
export function folderAccess(path: string): RepositoryAccess {
  return { place: { kind: "folder", path }, password: "correct horse" };
}

/** A folder with a disk, as it is handed to a repository. */
export function diskOf(content: Buffer): string {
  const workDir = folder();
  writeFileSync(join(workDir, "disk.qcow2"), content);
  return workDir;
}

interface BucketAccess extends RepositoryAccess {
  place: Extract<BackupPlace, { kind: "s3" }>;
}

/** A bucket of a store of its own, in which there is no repository yet. */
export async function s3Access(): Promise<{ access: BucketAccess; server: S3Server }> {
  const server = await startS3Server();
  onTestFinished(() => server.close());
  const place = {
    kind: "s3" as const,
    endpoint: server.endpoint,
    bucket: "copies",
    prefix: "cumulus/host",
    accessKeyId: "the-key",
    secretAccessKey: "the-secret",
  };
  server.secrets.set(place.accessKeyId, place.secretAccessKey);
  return { access: { place, password: "correct horse" }, server };
}
