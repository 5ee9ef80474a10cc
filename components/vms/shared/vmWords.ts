import { formatDuration } from "../../../lib/browser/time";
import type { Size } from "../../../lib/domain/size";
import type { TimelineEntry, TimelineStep } from "../../../lib/domain/timeline";
import { formatBytes } from "../../../lib/domain/units";
import type { Vm } from "../../../lib/domain/vm";

/** "1 vCPU · 512 MiB · 5 GiB disk". */
export function sizeWords(size: Pick<Size, "vcpus" | "memoryBytes" | "diskBytes">): string {
  const cpus = size.vcpus === 1 ? "1 vCPU" : `${size.vcpus} vCPUs`;
  return `${cpus} · ${formatBytes(size.memoryBytes)} · ${formatBytes(size.diskBytes)} disk`;
}

interface StepWords {
  /** Reached. */
  done: string;
  /** Under way, failed or still to come. */
  doing: string;
  /** What is being done, for whoever sees it for the first time. */
  meaning: string;
}

const stepWords: Record<TimelineStep, StepWords> = {
  accepted: {
    done: "Request accepted",
    doing: "Accepting the request",
    meaning: "What you asked for is being written down; from then on no crash loses it.",
  },
  image: {
    done: "Image found",
    doing: "Finding the image",
    meaning: "The operating system's disk image is looked up on the host.",
  },
  disk: {
    done: "Disk made",
    doing: "Making the disk",
    meaning: "An overlay on the image: it holds only what you change.",
  },
  started: {
    done: "Machine started",
    doing: "Starting the machine",
    meaning: "QEMU is started: the virtual power button is pressed.",
  },
  kernel: {
    done: "Kernel booted",
    doing: "Booting the kernel",
    meaning: "Firmware and kernel come up; the screen shows it.",
  },
  network: { done: "Network is up", doing: "Bringing up the network", meaning: "The guest takes its address." },
  "first-boot": {
    done: "First boot set up",
    doing: "Setting up the first boot",
    meaning: "Host name, keys, users and your own user data are put in place.",
  },
  ssh: { done: "SSH answers", doing: "Waiting for SSH to answer", meaning: "The last step: then you can log in." },
};

/** Whether somebody can be expected to log in by SSH: of what is installed by hand only once it has answered. */
export function hasSsh({ image, timeline }: Pick<Vm, "image" | "timeline">): boolean {
  return image.kind === "disk" || timeline.some(({ step, state }) => step === "ssh" && state === "done");
}

/** What a step of the timeline is called in the state that it is in. */
export function stepTitle(entry: TimelineEntry): string {
  return entry.state === "done" ? stepWords[entry.step].done : stepWords[entry.step].doing;
}

export function stepMeaning(step: TimelineStep): string {
  return stepWords[step].meaning;
}

/** How far a timeline is: "Booting the kernel", "Ready in 8.4 s", or null when nothing of the kind can be said. */
export function timelineSummary(timeline: readonly TimelineEntry[]): string | null {
  const failed = timeline.find((entry) => entry.state === "failed");
  if (failed) return `${stepTitle(failed)} failed`;
  const active = timeline.find((entry) => entry.state === "active");
  if (active) return stepTitle(active);
  const ready = timeline.find((entry) => entry.step === "ssh" && entry.state === "done");
  if (ready?.sinceStartMs == null) return null;
  return `Ready in ${formatDuration(ready.sinceStartMs)}`;
}

/**
 * How long VMs of an image took from the request to the SSH banner: the median of those that are there, in milliseconds. Null when none is.
 */
export function usualReadyMs(vms: readonly Vm[], imageId: number): number | null {
  const times = vms
    .filter((vm) => vm.image.id === imageId)
    .flatMap((vm) => vm.timeline.find((entry) => entry.step === "ssh")?.sinceStartMs ?? [])
    .sort((a, b) => a - b);
  return times[Math.floor((times.length - 1) / 2)] ?? null;
}

/** What is lost with a VM, as a sentence: what a confirmation of its destruction names. */
export function lostWith(vm: Pick<Vm, "name" | "size" | "ipv4">): string {
  return `Its disk (${formatBytes(vm.size.diskBytes)}) with everything on it and its address ${vm.ipv4} are lost. This can't be undone.`;
}

/** The same for several VMs. */
export function lostWithAll(vms: readonly Pick<Vm, "size">[]): string {
  const diskBytes = vms.reduce((sum, vm) => sum + vm.size.diskBytes, 0);
  return `Their disks (${formatBytes(diskBytes)} in all) with everything on them and their addresses are lost. This can't be undone.`;
}
