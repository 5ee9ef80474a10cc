import { expect, test } from "vitest";
import { backupPlaceSchema, locationOf } from "./backup";

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
