import { expect, test } from "vitest";
import Guide, { generateMetadata } from "./page";

const propsOf = (guide: string) => ({ params: Promise.resolve({ guide }) });

test("a guide has a page, under its own title", async () => {
  await expect(Guide(propsOf("images"))).resolves.toBeDefined();
  expect(await generateMetadata(propsOf("snapshots"))).toEqual({ title: "Snapshots and backups" });
});

test.each(["nothing", "images.md", "../README", "..%2FREADME", "images/list.png", "", ".", "constructor"])(
  "%j is no guide: 404, and no other file is read",
  async (name) => {
    await expect(Guide(propsOf(name))).rejects.toMatchObject({ digest: "NEXT_HTTP_ERROR_FALLBACK;404" });
  },
);
