import { expect, test } from "vitest";
import { backupPlaceSchema, locationOf, repositoryAccessSchema } from "./backup";

const bucket = {
  kind: "s3",
  endpoint: "http://nas:9000",
  bucket: "copies",
  prefix: "",
  accessKeyId: "key",
  secretAccessKey: "secret",
};
const read = (values: Partial<typeof bucket>) => backupPlaceSchema.safeParse({ ...bucket, ...values });

test.each([
  [{ endpoint: "http://user:pass@nas:9000" }],
  [{ endpoint: "http://nas:9000/?x=1" }],
  [{ endpoint: "http://nas:9000/#x" }],
  [{ endpoint: "http://nas:9000/path" }],
  [{ endpoint: "nas:9000" }],
  [{ endpoint: "not an address" }],
  [{ endpoint: "ftp://nas" }],
  [{ bucket: "a..b" }],
  [{ prefix: "a/../../b" }],
  [{ prefix: "./a" }],
])("no bucket is named by %j", (values) => {
  const { error } = read(values);
  expect(error?.issues.map(({ path }) => path)).toContainEqual(Object.keys(values));
  expect(error?.issues.some(({ message }) => message.includes("pass"))).toBe(false);
});

test("the same bucket has one name, however it is written", () => {
  for (const values of [{}, { prefix: "p/" }, { prefix: "/p//" }, { prefix: "p", endpoint: "HTTP://NAS:9000/" }]) {
    const place = backupPlaceSchema.parse({ ...bucket, prefix: "p", ...values });
    expect(locationOf(place)).toBe("http://nas:9000/copies/p");
  }
  expect(locationOf(backupPlaceSchema.parse(bucket))).toBe("http://nas:9000/copies");
  expect(locationOf({ kind: "folder", path: "/mnt//nas/" })).toBe("/mnt/nas");
  expect(locationOf({ kind: "folder", path: "/" })).toBe("/");
});

test.each(["/mnt/nas/../nas", "/mnt/./nas", "/mnt/nas/..", "mnt", ""])("no folder is named by %j", (path) => {
  const { error } = backupPlaceSchema.safeParse({ kind: "folder", path });
  expect(error?.issues.map((issue) => issue.path)).toContainEqual(["path"]);
});

test("folders may have dots in their names", () => {
  const place = { kind: "folder", path: "/mnt/..nas/.copies/v1.2/..." };
  expect(backupPlaceSchema.parse(place)).toEqual(place);
});

test.each([
  { ...bucket, endpoint: "https://nas/minio" },
  { ...bucket, prefix: "./hosts/../a" },
  { ...bucket, bucket: "a..b" },
  { kind: "folder", path: "/mnt/nas/../nas" },
])("a place that is kept is still used, though none is taken anew that is like %j", (place) => {
  const access = { place, password: "correct horse" };
  expect(backupPlaceSchema.safeParse(place).success).toBe(false);
  expect(repositoryAccessSchema.parse(access)).toEqual(access);
});

test.each([
  { kind: "folder", path: "rclone:remote:path" },
  { ...bucket, endpoint: "sftp://nas" },
])("a place that is kept names no other kind of store: %j", (place) => {
  expect(repositoryAccessSchema.safeParse({ place, password: "correct horse" }).success).toBe(false);
});
