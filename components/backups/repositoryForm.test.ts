import { expect, test } from "vitest";
import type { BackupRepository } from "../../lib/domain/backup";
import { emptyRepositoryForm, formOfRepository, toAdded, toChanged } from "./repositoryForm";

const place = {
  kind: "s3" as const,
  ...{ endpoint: "https://s3.example.com", bucket: "copies", prefix: "host", accessKeyId: "key" },
};
const shown = { location: "https://s3.example.com/copies/host", policyCount: 0, createdAt: "2026-11-22T10:00:00.000Z" };
const repository: BackupRepository = { id: 1, name: "Far away", kind: "s3", place, ...shown };

test("what nobody has changed is not sent, and neither are secrets that are left empty", () => {
  const form = formOfRepository(repository);
  expect(toChanged(form, repository)).toEqual({ name: "Far away" });
  expect(toChanged({ ...form, prefix: "moved" }, repository)).toEqual({
    name: "Far away",
    place: { ...place, prefix: "moved" },
  });
});

test("secrets that are given are sent with a change", () => {
  const form = { ...formOfRepository(repository), password: "battery staple", secretAccessKey: "secret" };
  expect(toChanged(form, repository)).toEqual({
    name: "Far away",
    password: "battery staple",
    place: { ...place, secretAccessKey: "secret" },
  });
});

test("of a folder nothing of a bucket is sent", () => {
  const form = { ...emptyRepositoryForm, name: "Disk", password: "correct horse", path: "/mnt", bucket: "left-over" };
  expect(toAdded(form)).toEqual({ name: "Disk", password: "correct horse", place: { kind: "folder", path: "/mnt" } });
});
