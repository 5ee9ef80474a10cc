import { type Stack, startStack } from "../stack";

let present: Stack | undefined;

/** A stack for one benchmark, gone when it ends, however it ends. */
export async function withStack<T>(
  hypervisor: "qemu" | "fake",
  run: (stack: Stack) => Promise<T>,
  network: "bridge" | "user" = "user",
): Promise<T> {
  const stack = await startStack({ hypervisor, network });
  present = stack;
  try {
    return await run(stack);
  } finally {
    present = undefined;
    await stack.stop();
  }
}

/** For who is told to end in the middle: no process and no folder stays. */
export async function stopPresentStack(): Promise<void> {
  await present?.stop();
}
