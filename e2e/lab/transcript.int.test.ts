import { chmod, mkdir, readFile, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { afterEach, expect, test } from "vitest";
import { archOfNode } from "../../lib/domain/arch";
import type { BuildableImage } from "../../lib/domain/imageRequest";
import { pathsOf } from "../../lib/env";
import { guestfsEnvironment } from "../../lib/images/recipes/appliance";
import { imageFile } from "../../lib/images/store";
import { testAppliance } from "../../lib/images/testing/appliance";
import { installBuiltImage } from "../../lib/images/testing/builtImage";
import { projectDir } from "../../lib/paths";
import { slowTest } from "../../lib/system/testing/slowTests";
import { LabMachine } from "./labMachine";
import { differenceOf, readTranscript } from "./transcript";

/** Guests boot under emulation, on a machine that may do other things too. */
const promptDeadlineMs = 600_000;
const labPassword = "123456";

/** What is different each time: `<name>` in the page. */
const wildcards = {
  link: /\S+/,
  seconds: / *\d+\.\d/,
  file: /\/\S+\.qcow2/,
  key: /\S+/,
  address: /[\da-f.:]+ */,
  version: /1\.[01]/,
  number: /[1-9]\d*/,
  pid: /\d+/,
};

let machine: LabMachine | undefined;
afterEach(() => machine?.stop());

/** Types the page's commands on a machine whose template `ubuntu_22.04` is the image. */
async function walkThrough(image: BuildableImage): Promise<void> {
  const exchanges = readTranscript(await readFile(join(projectDir, "docs", "os-cloud-lab.md"), "utf8"), labPassword);
  const lab = await LabMachine.start((folder) => layOut(folder, image));
  machine = lab;
  await lab.untilPrompt("$ ", promptDeadlineMs);
  for (const [index, { line, prompt, input, output }] of exchanges.entries()) {
    const next = exchanges[index + 1]?.prompt ?? "$ ";
    if (input === "reboot") await lab.reboot();
    else lab.type(input === "^]" ? "\x1d" : `${input}\n`);
    const printed = await lab.untilPrompt(next, promptDeadlineMs).catch((error: unknown) => {
      throw new Error(`docs/os-cloud-lab.md, line ${line}, ${prompt}${input}`, { cause: error });
    });
    const difference = differenceOf(withoutEcho(printed, prompt, input), output, wildcards);
    expect.soft(difference, `line ${line}: ${prompt}${input}`).toBeNull();
  }
}

/** The shell of the host echoes nothing, and no terminal echoes passwords; others show what was typed. */
function withoutEcho(printed: string, prompt: string, input: string): string {
  const isEchoed = prompt !== "$ " && printed.startsWith(input);
  return isEchoed ? printed.slice(input.length) : printed;
}

/** The lab's folder of templates in the home, and the data folder with what can't be fetched there: the built-in image, and what recipes need. */
async function layOut(folder: string, image: BuildableImage): Promise<void> {
  const data = join(folder, "data");
  await mkdir(data);
  for (const path of [folder, data]) await chmod(path, 0o711);
  await lendAppliance(pathsOf({ dataDir: data, runDir: "" }).appliance, join(folder, "scratch"));
  const arch = archOfNode(process.arch) ?? "x86_64";
  await installBuiltImage(pathsOf({ dataDir: data, runDir: "" }), { name: "mini", arch });
  const scratch = { images: join(folder, "images"), staging: join(folder, "staging") };
  const { sha256 } = await installBuiltImage(scratch, { name: image, arch });
  const template = join(folder, "home", "os-cloud", "disk-templates", "ubuntu_22.04", "ubuntu_22.04.qcow2");
  await mkdir(dirname(template), { recursive: true });
  await execa("qemu-img", ["convert", "-f", "qcow2", "-O", "qcow2", imageFile(scratch, sha256), template]);
}

/** Tests share what libguestfs' machine is made of; its kernel, where the host has none, comes from the distribution. */
async function lendAppliance(appliance: string, scratch: string): Promise<void> {
  const report = { progress: () => {}, log: () => {} };
  await guestfsEnvironment(testAppliance, { isEmulated: true, scratch, report, signal: new AbortController().signal });
  await symlink(testAppliance, appliance);
}

test("the page of the lab, command by command, with the built-in image", () => walkThrough("mini"), 3_600_000);

slowTest("the page of the lab, command by command, with Debian", () => walkThrough("debian-12"), 7_200_000);
