import type { lookup } from "node:dns";
import type { ServerResponse } from "node:http";
import { expect, test } from "vitest";
import { serveImages } from "../testing/imageServer";
import { allowedHostsOf, parseImageUrl } from "./hostRules";
import { fetchText, openUrl } from "./request";

const signal = new AbortController().signal;
const deadlines = { answerTimeoutMs: 5000, stallTimeoutMs: 5000 };
const text = (url: string, allowedHosts: string[], resolve?: typeof lookup) =>
  fetchText(parseImageUrl(url), 1000, { ...deadlines, allowedHosts, ...(resolve && { resolve }) }, signal);

/** Name resolution that gives these addresses, as often as it is asked. */
function resolving(...addresses: string[]) {
  let count = 0;
  const resolve = ((_: string, __: object, callback: (error: null, found: object[]) => void) => {
    count += 1;
    callback(
      null,
      addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 })),
    );
  }) as unknown as typeof lookup;
  return { resolve, count: () => count };
}

const to = (location: string) => (_: unknown, response: ServerResponse) => response.writeHead(302, { location }).end();

test.each(["ftp://example.org/a", "file:///etc/passwd", "data:text/plain,a", "gopher://example.org/", "a.qcow2", ""])(
  "%s is no address to fetch from",
  (url) => expect(() => parseImageUrl(url)).toThrow(/can't be fetched/),
);

test("an address with a password is refused", () => {
  expect(() => parseImageUrl("https://me:secret@example.org/a")).toThrow(/user name or password/);
});

test.each([
  ...["127.0.0.1", "2130706433", "0x7f.1", "017700000001", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]"],
  ...["10.0.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "[fe80::1]", "[fd00::1]", "[64:ff9b::7f00:1]"],
])("http://%s is refused however it is written", async (host) => {
  await expect(text(`http://${host}:1/`, [])).rejects.toMatchObject({
    code: "bad_request",
    message: expect.stringContaining("CUMULUS_IMAGE_HOSTS"),
  });
});

test.each(["127.0.0.1", "10.1.2.3", "::1", "fe80::1", "::ffff:10.0.0.1"])(
  "a name that leads to %s is refused",
  async (address) => {
    const { resolve } = resolving(address);
    await expect(text("http://images.example:1/", [], resolve)).rejects.toMatchObject({
      code: "bad_request",
      message: expect.stringContaining("images.example"),
    });
  },
);

test("the address that was checked is the one that is connected to", async () => {
  const { url, host } = await serveImages({ "/": (_, response) => response.end("hello") });
  const port = host.split(":")[1];
  expect(await text(url, [host])).toBe("hello");
  // Were the name resolved a second time after the check, this computer would be asked.
  const { resolve, count } = resolving("127.0.0.1");
  await expect(text(`http://rebinding.example:${port}/`, [], resolve)).rejects.toMatchObject({ code: "bad_request" });
  expect(count()).toBe(1);
});

test.each([
  ["by name", ["localhost"]],
  ["with its port", ["localhost:PORT"]],
])("an administrator allows a host %s", async (_, allowed) => {
  const { port } = await serveImages({ "/": (_, response) => response.end("hello") });
  const hosts = allowed.map((host) => host.replace("PORT", String(port)));
  expect(await text(`http://localhost:${port}/`, hosts)).toBe("hello");
});

test("a host that is allowed on one port is not on another", async () => {
  const { host, port } = await serveImages({ "/": (_, response) => response.end("hello") });
  await expect(text(`http://${host}/`, [`127.0.0.1:${port + 1}`])).rejects.toMatchObject({ code: "bad_request" });
});

test("a mirror is allowed by being configured", () => {
  expect(allowedHostsOf({ imageHosts: ["a"], imageMirror: "http://mirror.lan/x" })).toEqual(["a", "mirror.lan:80"]);
  expect(allowedHostsOf({ imageHosts: [], imageMirror: null })).toEqual([]);
});

test("each redirect is held to the rules", async () => {
  const inner = await serveImages({ "/": (_, response) => response.end("secret") });
  for (const location of [`${inner.url}/`, "http://10.0.0.1/", "file:///etc/passwd", "http://u:p@example.org/"]) {
    const { url, host } = await serveImages({ "/a": to(location) });
    await expect(text(`${url}/a`, [host]), location).rejects.toMatchObject({ code: "bad_request" });
  }
  expect(inner.requests).toHaveLength(0);
});

test("five redirects are followed, relative ones too, and no more", async () => {
  const { url, host } = await serveImages({
    ...Object.fromEntries([1, 2, 3, 4, 5].map((n) => [`/${n}`, to(n === 5 ? "end" : `/${n + 1}`)])),
    "/end": (_, response) => response.end("there"),
    "/0": to("1"),
    "/loop": to("/loop"),
  });
  expect(await text(`${url}/1`, [host])).toBe("there");
  await expect(text(`${url}/0`, [host])).rejects.toMatchObject({ code: "bad_request" });
  await expect(text(`${url}/loop`, [host])).rejects.toMatchObject({ code: "bad_request" });
});

test("a server that is not there, or never answers, is told", async () => {
  const { host, close } = await serveImages({});
  await close();
  await expect(text(`http://${host}/`, [host])).rejects.toMatchObject({ code: "unavailable" });

  const silent = await serveImages({ "/": () => {} });
  const rules = { allowedHosts: [silent.host], answerTimeoutMs: 100, stallTimeoutMs: 100 };
  await expect(openUrl(new URL(silent.url), {}, rules, signal)).rejects.toThrow("did not answer within 0.1 s");
});

test("a text that is too large is not read to its end", async () => {
  const { url, host } = await serveImages({ "/": (_, response) => response.end("a".repeat(2000)) });
  await expect(text(url, [host])).rejects.toMatchObject({ code: "too_large" });
});
