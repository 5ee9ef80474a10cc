import type { Vm } from "../../../../lib/domain/vm";

/** What to do about keys, so that the login works. */
export function keyAdvice(vm: Pick<Vm, "sshKeys" | "isReady" | "status">): string {
  if (vm.sshKeys.length === 0) {
    return "No key was put into this VM. Log in on its console, and add one to ~/.ssh/authorized_keys there.";
  }
  const which = vm.sshKeys.length === 1 ? "its private half" : "the private half of one of them";
  const advice = `ssh needs ${which}: give its file with -i when it isn't ~/.ssh/id_ed25519 or in your agent.`;
  if (vm.isReady) return advice;
  return `${advice} ${vm.status === "stopped" ? "Start the VM first." : "SSH doesn't answer yet."}`;
}
