import { expect, test } from "vitest";
import type { HostReport } from "../../lib/domain/host";
import { guestWords } from "./hostWords";

test("what guests can be says what they boot with, and which are emulated", () => {
  const words = (report: Partial<HostReport>) => guestWords({ arch: "x86_64", ...report } as HostReport);
  expect(words({ guestArchs: ["x86_64", "aarch64"], uefiArchs: ["aarch64"] })).toBe(
    "x86_64 (BIOS), aarch64 (UEFI, emulated)",
  );
  expect(words({ guestArchs: ["x86_64", "aarch64"], uefiArchs: ["x86_64"] })).toBe(
    "x86_64 (BIOS, UEFI), aarch64 (no firmware, emulated)",
  );
  expect(words({ guestArchs: [] })).toBe("none: QEMU is not installed");
});
