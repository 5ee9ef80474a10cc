import { isDeepStrictEqual } from "node:util";
import { CumulusError } from "../../domain/errors";
import type { ReachabilityCheck } from "../../domain/hostNetwork";
import type { Diagnose, DiagnosisCheck } from "../../domain/vmNetworking";
import type { Context } from "../context";
import { getVmRecord } from "../vms/view";
import { ingressByFirewall } from "./state";
import { getVmNetworking } from "./view";

/**
 * Why a TCP port of a VM can't be reached from the host, at the address of one of its interfaces, nor by a forward: what was checked, in order, up to the first
 * failure.
 * @throws `not_found`, `bad_request` for an interface that the VM hasn't, `unavailable` when the host doesn't answer
 */
export async function diagnoseVm(
  context: Context,
  vmId: number,
  { port, interface: id }: Diagnose,
): Promise<{ checks: DiagnosisCheck[] }> {
  const { vm, furtherLinks } = await getVmRecord(context.db, vmId);
  const ids = ["net0", ...furtherLinks.map(({ link }) => link.interfaceId)];
  if (!ids.includes(id)) {
    const message = `This VM has no interface ${id}. It has ${ids.join(", ")}.`;
    throw new CumulusError("bad_request", message, { fields: { interface: message } });
  }
  try {
    const seen = await context.agent.diagnose(vmId, id, port);
    const checks = await Promise.all(seen.map((check) => withFirewalls(context, vmId, check)));
    return { checks: id === "net0" ? await withForwards(context, vmId, port, checks) : checks };
  } catch (error) {
    const isUnknown = error instanceof CumulusError && error.code === "not_found";
    if (!isUnknown) throw error;
    const message = "The VM doesn't run: the host has not made it.";
    const fix = vm.lastError ?? "Wait a moment while it is made.";
    return { checks: [{ name: "running", outcome: "failed", message, fix, firewalls: [] }] };
  }
}

/** Names the firewalls that let it through, or those that keep it out: all that the VM has. */
async function withFirewalls(
  { db }: Context,
  vmId: number,
  { rule, ...check }: ReachabilityCheck,
): Promise<DiagnosisCheck> {
  const isOpen = check.outcome === "ok" && rule === undefined;
  if (check.name !== "firewall" || isOpen) return { ...check, firewalls: [] };
  const all = await ingressByFirewall(db, vmId);
  const meant =
    rule === undefined ? all : all.filter(({ ingress }) => ingress.some((one) => isDeepStrictEqual(one, rule)));
  const firewalls = meant.map(({ id, name }) => ({ id, name }));
  // The host may not have put the last change into effect.
  if (firewalls.length === 0) return { ...check, firewalls };
  const names = firewalls.map(({ name }) => name).join(", ");
  const told = rule === undefined ? `The VM's firewalls: ${names}.` : `The rule is one of ${names}.`;
  return { ...check, message: `${check.message} ${told}`, firewalls };
}

/** Where nothing else is wrong, or user-mode networks have no other way: a forward to the port that is not in effect, with the reason. */
async function withForwards(
  context: Context,
  vmId: number,
  port: number,
  checks: DiagnosisCheck[],
): Promise<DiagnosisCheck[]> {
  const failure = checks.find(({ outcome }) => outcome === "failed");
  const { driver, forwards } = await getVmNetworking(context, vmId);
  const isWayLost = driver === "user" && failure?.name === "route";
  if (failure !== undefined && !isWayLost) return checks;
  const broken = forwards.find((one) => one.protocol === "tcp" && one.port === port && one.whyNot !== null);
  if (broken === undefined) return checks;
  const message = `The forward of ${broken.hostAddress}:${broken.hostPort} to port ${port} is not in effect. ${broken.whyNot}`;
  const fix = failure?.fix ?? "Remove the forward and make one of another address or port of the host.";
  const check: DiagnosisCheck = { name: "forward", outcome: "failed", message, fix, firewalls: [] };
  return [...checks.filter((one) => one !== failure), check];
}
