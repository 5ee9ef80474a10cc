import type { BackupRepository, ChangeBackupRepository, CreateBackupRepository } from "../../lib/domain/backup";

export interface RepositoryFormState {
  kind: "folder" | "s3";
  name: string;
  password: string;
  path: string;
  endpoint: string;
  bucket: string;
  prefix: string;
  accessKeyId: string;
  secretAccessKey: string;
}

export const emptyRepositoryForm: RepositoryFormState = {
  kind: "folder",
  ...{ name: "", password: "", path: "" },
  ...{ endpoint: "", bucket: "", prefix: "", accessKeyId: "", secretAccessKey: "" },
};

/** What is known of a repository; its secrets are told to nobody. */
export function formOfRepository({ name, place }: BackupRepository): RepositoryFormState {
  return { ...emptyRepositoryForm, name, ...place };
}

/** What the API takes to add it. */
export function toAdded({ name, password, ...form }: RepositoryFormState): CreateBackupRepository {
  const { secretAccessKey } = form;
  const place = placeOf(form);
  return { name, password, place: place.kind === "s3" ? { ...place, secretAccessKey } : place };
}

/** What the API takes to change it: secrets that are left empty stay as they are, and a place of which nothing is changed is not given. */
export function toChanged(
  { name, password, ...form }: RepositoryFormState,
  present: BackupRepository,
): ChangeBackupRepository {
  const { secretAccessKey } = form;
  const place = placeOf(form);
  const isSecretGiven = place.kind === "s3" && secretAccessKey !== "";
  const isChanged = isSecretGiven || JSON.stringify(place) !== JSON.stringify(placeOf(formOfRepository(present)));
  return {
    name,
    ...(password !== "" && { password }),
    ...(isChanged && { place: isSecretGiven ? { ...place, secretAccessKey } : place }),
  };
}

function placeOf(form: Omit<RepositoryFormState, "name" | "password">) {
  if (form.kind === "folder") return { kind: "folder" as const, path: form.path };
  const { endpoint, bucket, prefix, accessKeyId } = form;
  return { kind: "s3" as const, endpoint, bucket, prefix, accessKeyId };
}
