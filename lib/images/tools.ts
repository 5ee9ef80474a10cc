import { delimiter } from "node:path";
import { execa } from "execa";

/** The PATH on which the build finds its tools: Debian leaves the sbin folders out of a user's. */
export const toolPath = [process.env.PATH ?? "/usr/bin:/bin", "/usr/sbin", "/sbin"].join(delimiter);

/** execa for the build's tools, whose messages are to be English. */
export const tool = execa({ env: { PATH: toolPath, LC_ALL: "C" } });
