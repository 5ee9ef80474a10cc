import { once } from "node:events";
import { createServer } from "node:net";
import { expect, test } from "vitest";
import { requireArch, requireFreePort, requireQemu } from "./preconditions";

test("a machine that Cumulus has no guests for is refused by name", () => {
  expect(() => requireArch("riscv64")).toThrow("Cumulus runs on x86_64 and aarch64 machines, and this one is riscv64.");
  expect(requireArch("arm64")).toBe("aarch64");
});

test("missing QEMU is said with the way to install it", () => {
  expect(() => requireQemu("sparc" as "x86_64", "/nowhere")).toThrow(
    /^QEMU is missing \(qemu-system-sparc.* not found\): /,
  );
});

test("a taken port is said with a free way out, and a free one is left free", async () => {
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  const address = other.address();
  const port = typeof address === "object" && address ? address.port : 0;
  await expect(requireFreePort({ host: "127.0.0.1", port }, undefined)).rejects.toThrow(
    `Port ${port} on 127.0.0.1 is taken by another program: stop that, or set PORT to another one (PORT=${port + 1} npm run up).`,
  );
  other.close();
  await once(other, "close");
  await requireFreePort({ host: "127.0.0.1", port }, undefined);
  await requireFreePort({ host: "127.0.0.1", port }, undefined);
});

test("an address that is not this machine's is refused", async () => {
  await expect(requireFreePort({ host: "192.0.2.1", port: 3000 }, undefined)).rejects.toThrow(
    "HOST=192.0.2.1 is no address of this machine",
  );
});
