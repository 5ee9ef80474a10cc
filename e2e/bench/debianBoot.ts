import { messageOf } from "../../lib/domain/errors";
import type { Vm } from "../../lib/domain/vm";
import { pathsOf } from "../../lib/env";
import { debianPrerequisites } from "../../lib/images/debian/prerequisites";
import { installBuiltImage } from "../../lib/images/testing/builtImage";
import { type Stack, until } from "../stack";
import type { Benchmark, Skipped } from "./benchmark";
import { measureBootPairs } from "./bootPairs";
import { awaitSshBanner } from "./sshBanner";
import { sampleOf } from "./stats";
import { withStack } from "./withStack";

const name = "debian-12: create → SSH banner";
const debian = { image: "debian-12", size: "small" };
/** sshd takes seconds to greet while cloud-init has the guest's one core. */
const patience = { deadlineMs: 300_000, attemptEveryMs: 2_500, patienceMs: 20_000 };

export const debianBoot: Benchmark = {
  name: "debian-boot",
  what: "seconds from POST /api/vms to the SSH banner of debian-12's first boot, against the same QEMU by hand",
  measure: async (note) => {
    const prerequisites = await debianPrerequisites("x86_64");
    if (!prerequisites.ok) return [skipped(prerequisites.reason)];
    return withStack("qemu", async (stack) => {
      note("builds the image, unless the last build is of today");
      try {
        await installBuiltImage(pathsOf(stack.settings), { name: "debian-12", arch: "x86_64" });
      } catch (error) {
        return [skipped(messageOf(error))];
      }
      await until("the console knows the image", async () => (await imageNames(stack)).includes(debian.image));
      const untilBanner = (port: number, vmId: number | null) => untilGreeted(stack, port, vmId);
      const { ofCumulus, byHand } = await measureBootPairs(stack, { vm: debian, pairs: 3, untilBanner, note });
      const value = sampleOf(ofCumulus);
      const baseline = { what: "same QEMU by hand", value: sampleOf(byHand) };
      return [
        { name, unit: "s", value, target: { of: "value", atMost: 45 } },
        { name: `${name}, ratio`, unit: "s", value, baseline, target: { of: "ratio", atMost: 1.1 } },
      ];
    });
  },
};

/** Where Cumulus asks the guest's SSH server, nobody else does until it was greeted: each attempt takes of the guest's one core. */
async function untilGreeted(stack: Stack, port: number, vmId: number | null): Promise<number> {
  if (vmId !== null) {
    const isReady = async () => (await stack.api<Vm>("GET", `/api/vms/${vmId}`)).body.isReady;
    await until(`VM ${vmId} is ready`, isReady, patience.deadlineMs);
  }
  return awaitSshBanner(port, patience);
}

async function imageNames(stack: Stack): Promise<string[]> {
  const { body } = await stack.api<{ items: { name: string }[] }>("GET", "/api/images");
  return body.items.map((image) => image.name);
}

function skipped(why: string): Skipped {
  return { name, skipped: why };
}
