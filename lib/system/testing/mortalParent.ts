import { spawn } from "node:child_process";
import { mortal, mortalTree } from "../mortal";

/**
 * Starts a program that starts no other, and one that has mounted something and started another which left its session, and waits for its
 * end. The arguments: how long each of the three sleeps, and where to mount.
 */
const [single = "", leader = "", daemon = "", folder = ""] = process.argv.slice(2);
const work = 'mount -t tmpfs none "$2" 2>/dev/null; setsid sleep "$1" & sleep "$0"';
for (const { program, args } of [
  mortal({ program: "sleep", args: [single] }),
  await mortalTree({ program: "sh", args: ["-c", work, leader, daemon, folder] }),
]) {
  spawn(program, args, { stdio: "ignore" });
}
