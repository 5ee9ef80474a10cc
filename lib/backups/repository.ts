import type { RepositoryAccess } from "../domain/backup";
import { CumulusError } from "../domain/errors";
import { checkRequirements, fulfil, type Prerequisites } from "../images/requirements";
import { keepsNothing } from "./failure";
import { assertUsableFolder } from "./repositoryFolder";
import { type ResticOptions, runRestic, shortMs } from "./restic";

const installMs = 180_000;

/**
 * Opens a repository, and makes it where there is none. A folder must be empty or a repository already: nothing else of the host's is written into.
 * @throws `bad_request` naming the field for what is likely wrong with the place, `unavailable` for a store that is busy
 */
export async function makeRepository(access: RepositoryAccess, options: ResticOptions = {}): Promise<void> {
  await assertUsableFolder(access);
  await installRestic(options);
  try {
    if (await isRepository(access, options)) return;
    await runRestic(access, ["init"], { timeoutMs: shortMs, ...options });
    // What answers everything with "OK" has kept nothing.
    if (!(await isRepository(access, options))) throw keepsNothing(access.place);
  } catch (error) {
    if (!(error instanceof CumulusError) || error.fields === undefined) throw error;
    throw new CumulusError("bad_request", error.message, { fields: error.fields, cause: error.cause });
  }
}

/**
 * Opens a repository that was made before. None is made in its place: where the disk that holds it isn't mounted there is an empty folder, and copies would
 * go to the host's own disk.
 */
export async function openRepository(access: RepositoryAccess, options: ResticOptions = {}): Promise<void> {
  await installRestic(options);
  if (await isRepository(access, options)) return;
  const { place } = access;
  const message =
    place.kind === "folder"
      ? `There is no repository in ${place.path} any more. Is the disk that holds it mounted?`
      : `There is no repository in the bucket ${place.bucket} any more. Was it emptied, or the prefix changed?`;
  const field = place.kind === "folder" ? "path" : "prefix";
  throw new CumulusError("unavailable", message, { fields: { [`place.${field}`]: message } });
}

async function isRepository(access: RepositoryAccess, options: ResticOptions): Promise<boolean> {
  try {
    await runRestic(access, ["cat", "config", "--no-lock"], { timeoutMs: shortMs, ...options });
    return true;
  } catch (error) {
    if (error instanceof CumulusError && error.code === "not_found") return false;
    throw error;
  }
}

/** Whether copies can be made here. */
function resticPrerequisites(): Promise<Prerequisites> {
  return checkRequirements("Backing up to a repository", [{ needs: "restic", aptPackage: "restic" }]);
}

async function installRestic({ signal = AbortSignal.timeout(installMs) }: ResticOptions): Promise<void> {
  await fulfil(resticPrerequisites, { report: { progress() {}, log() {} }, signal });
}
