import { delimiter } from "node:path";
import { execa, type Options, type ResultPromise } from "execa";
import { type Command, mortal, mortalTree } from "../system/mortal";

/** The PATH on which the build finds its tools: Debian leaves the sbin folders out of a user's. */
export const toolPath = [process.env.PATH ?? "/usr/bin:/bin", "/usr/sbin", "/sbin"].join(delimiter);

/** execa for the build's tools, whose messages are to be English, and which end with this process. Not for programs that start others. */
export function tool<ToolOptions extends Options>(
  program: string,
  args: readonly string[],
  options?: ToolOptions,
): ResultPromise<ToolOptions> {
  return run(mortal({ program, args: [...args] }), "SIGTERM", options);
}

/** As `tool`, for a program that starts others. */
export async function toolTree(program: string, args: readonly string[], options?: Options): Promise<void> {
  const { killSignal, ...command } = await mortalTree({ program, args: [...args] });
  await run(command, killSignal, options);
}

function run<ToolOptions extends Options>(
  { program, args }: Command,
  killSignal: "SIGKILL" | "SIGTERM",
  options: ToolOptions | undefined,
): ResultPromise<ToolOptions> {
  const env = { PATH: toolPath, LC_ALL: "C", ...options?.env };
  const merged: Options = { killSignal, ...options, env };
  // Neither of those changes what the result holds.
  return execa(program, args, merged) as unknown as ResultPromise<ToolOptions>;
}
