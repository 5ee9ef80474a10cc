import { describe, expect, test } from "vitest";
import { timelineOf } from "../../../lib/domain/timeline";
import { GIB, MIB } from "../../../lib/domain/units";
import { exampleVm } from "./exampleVm";
import { hasSsh, lostWith, sizeWords, timelineSummary, usualReadyMs } from "./vmWords";

const reached = { accepted: "2026-01-02T03:04:05.000Z", image: "2026-01-02T03:04:05.100Z" };
const ready = { ...reached, ssh: "2026-01-02T03:04:13.400Z" };

/** As a VM has it that is neither on its way nor failed. */
const atRest = { isProgressing: false, isSettingUp: false, isByHand: false, failure: null };

describe("words", () => {
  test("a size names its quantities with their units", () => {
    expect(sizeWords({ vcpus: 1, memoryBytes: 512 * MIB, diskBytes: 5 * GIB })).toBe("1 vCPU · 512 MiB · 5 GiB disk");
    expect(sizeWords({ vcpus: 2, memoryBytes: 2 * GIB, diskBytes: 20 * GIB })).toMatch(/^2 vCPUs/);
  });

  test("a timeline sums up as what is under way, what failed, or how long it took", () => {
    expect(timelineSummary(timelineOf(reached, { ...atRest, isProgressing: true }))).toBe("Making the disk");
    expect(timelineSummary(timelineOf(reached, { ...atRest, failure: "No space is left." }))).toBe(
      "Making the disk failed",
    );
    expect(timelineSummary(timelineOf(ready, atRest))).toBe("Ready in 8.4 s");
    expect(timelineSummary(timelineOf({}, atRest))).toBeNull();
  });

  test("SSH is the way into what has it, and into what was installed by hand once it has answered", () => {
    const image = { ...exampleVm().image, kind: "iso" as const };
    const timelineAt = (milestones: object) => timelineOf(milestones, { ...atRest, isByHand: true });
    expect(hasSsh(exampleVm())).toBe(true);
    expect(hasSsh(exampleVm({ image, timeline: timelineAt(reached) }))).toBe(false);
    expect(hasSsh(exampleVm({ image, timeline: timelineAt(ready) }))).toBe(true);
  });

  test("how long it usually takes is the median of VMs of the same image", () => {
    const withReadyMs = (id: number, ms: number, imageId = 1) =>
      exampleVm({
        id,
        image: { id: imageId, name: "mini", title: "Cumulus mini", kind: "disk" },
        timeline: timelineOf(
          { accepted: reached.accepted, ssh: new Date(Date.parse(reached.accepted) + ms).toISOString() },
          atRest,
        ),
      });
    expect(usualReadyMs([], 1)).toBeNull();
    expect(usualReadyMs([exampleVm()], 1)).toBeNull();
    const vms = [withReadyMs(1, 9000), withReadyMs(2, 5000), withReadyMs(3, 7000), withReadyMs(4, 1, 2)];
    expect(usualReadyMs(vms, 1)).toBe(7000);
  });

  test("what is lost names the disk and the address", () => {
    expect(lostWith(exampleVm())).toContain("10 GiB");
    expect(lostWith(exampleVm())).toContain("192.168.0.2");
  });
});
