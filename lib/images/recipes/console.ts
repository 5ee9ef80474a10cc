import { once } from "node:events";
import { CumulusError } from "../../domain/errors";
import { passwordTypedBy, type Recipe, type RecipeStepOf } from "../../domain/recipe";
import type { TaskReport } from "../../domain/task";
import { withDeadline } from "../../system/deadline";
import { type ConsoleMachine, type MachineEnd, type RunningMachine, withMachine } from "./consoleMachine";
import { Conversation } from "./conversation";

/** How long a guest that was told to turn itself off may take. */
const powerOffMs = 300_000;

/** QEMU lets go of the console in its own clean-up, shortly before it ends. */
const cleanUpMs = 10_000;

interface ConsoleCall {
  report: TaskReport;
  signal: AbortSignal;
}

/**
 * Starts a disk in a machine without a network, types a recipe's steps on its serial console, and waits until it has turned itself
 * off: the recipe's last step has it do that. The machine is gone afterwards, however it went.
 * @throws CumulusError `bad_request`: the console never said what a step waits for, or the machine stays on · `unavailable`: QEMU can't run it
 */
export function runOnConsole(machine: ConsoleMachine, recipe: Recipe, call: ConsoleCall): Promise<void> {
  return withMachine(machine, async (running) => {
    await follow(running, recipe, call);
    await turnedOff(running.ended, call.signal);
    const { isWell, complaint } = await running.ended;
    if (!isWell) throw new CumulusError("unavailable", `QEMU ended with an error: ${complaint}`);
  });
}

async function follow(machine: RunningMachine, recipe: Recipe, { report, signal }: ConsoleCall): Promise<void> {
  const secrets = recipe.steps.map(passwordTypedBy).filter((password) => password !== null);
  const conversation = new Conversation(machine.from, machine.to, (line) => report.log(line), secrets);
  const steps = recipe.steps.filter((step): step is RecipeStepOf<"console"> => step.type === "console");
  for (const [index, { expect, send, timeoutSeconds }] of steps.entries()) {
    const words = JSON.stringify(expect);
    report.progress(10 + (70 * index) / steps.length, `waits for ${words} on the console`);
    const isSaid = await conversation.waitFor(expect, timeoutSeconds * 1000, signal);
    signal.throwIfAborted();
    if (!isSaid) {
      const lastWords = `It last said: ${conversation.lastWords}`;
      if (conversation.hasEnded) {
        await isGoneWithin(cleanUpMs, machine.ended, signal);
        throw endedEarly(`Step ${index + 1}`, words, lastWords, await machine.end());
      }
      throw new CumulusError(
        "bad_request",
        `Step ${index + 1}: the console did not say ${words} within ${timeoutSeconds} s. ${lastWords}`,
      );
    }
    if (send !== undefined) conversation.type(`${send}\r`);
  }
}

function endedEarly(step: string, words: string, lastWords: string, { isWell, complaint }: MachineEnd): CumulusError {
  return isWell
    ? new CumulusError(
        "bad_request",
        `${step}: the machine was turned off before its console said ${words}. ${lastWords}`,
      )
    : new CumulusError("unavailable", `${step}: QEMU ended before the console said ${words}: ${complaint}`);
}

async function turnedOff(ended: Promise<MachineEnd>, signal: AbortSignal): Promise<void> {
  if (await isGoneWithin(powerOffMs, ended, signal)) return;
  throw new CumulusError(
    "bad_request",
    `The machine was still on ${powerOffMs / 1000} s after the last step: let the recipe end with one that turns it off, such as "poweroff".`,
  );
}

/** @throws the signal's reason when it aborts */
async function isGoneWithin(timeoutMs: number, ended: Promise<MachineEnd>, signal: AbortSignal): Promise<boolean> {
  const isGone = await withDeadline(timeoutMs, signal, async (deadline) => {
    if (!deadline.aborted) await Promise.race([ended, once(deadline, "abort")]);
    return !deadline.aborted;
  });
  signal.throwIfAborted();
  return isGone;
}
