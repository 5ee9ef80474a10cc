import { execa } from "execa";

/** What a tool prints; nothing when it fails or isn't installed: what it would have told is then missing, and told as such. */
export async function tool(program: string, args: string[], input = ""): Promise<string> {
  const path = `${process.env.PATH}:/usr/sbin:/sbin`;
  const { stdout, failed } = await execa(program, args, {
    input,
    reject: false,
    env: { PATH: path },
    maxBuffer: 64 * 1024 ** 2,
  });
  return failed ? "" : stdout;
}
