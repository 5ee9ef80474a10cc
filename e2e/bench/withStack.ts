import { type Stack, startStack } from "../stack";

/** A stack for one benchmark, gone when it ends, however it ends. */
export async function withStack<T>(hypervisor: "qemu" | "fake", run: (stack: Stack) => Promise<T>): Promise<T> {
  const stack = await startStack({ hypervisor });
  try {
    return await run(stack);
  } finally {
    await stack.stop();
  }
}
