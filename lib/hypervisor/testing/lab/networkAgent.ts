import { networkStateSchema } from "../../../domain/hostNetwork";
import { networkInterfaceSchema } from "../../../domain/machine";
import type { Settings } from "../../../env";
import { detectUserScheme } from "../../../system/machineUsers";
import { prepareFolders } from "../../folders";
import { createHostNetworks } from "../../network/choose";
import { answerLines, errorLog } from "./answerLines";

/** The networks of an agent as a process of its own, to be run in a test's namespace and killed. Its one argument is the settings as JSON. */
async function main(): Promise<void> {
  const settings: Settings = JSON.parse(process.argv[2] ?? "");
  const users = await detectUserScheme();
  const warnings: string[] = [];
  const log = {
    ...errorLog,
    warn: (fields: object, message?: string) => void warnings.push(`${message} ${JSON.stringify(fields)}`),
  };
  await prepareFolders(settings, users, log);
  const networks = await createHostNetworks(settings, users, log);
  await networks.recover();
  await answerLines(async (method, [first, second, port]) => {
    if (method === "applyNetworks") return networks.apply(networkStateSchema.parse(first));
    if (method === "networkStatus") return networks.status();
    if (method === "warnings") return warnings;
    if (method === "diagnose") {
      const link = networkInterfaceSchema.parse(second);
      const seen = { state: "running" as const, reason: null, link: null };
      return networks.diagnose({ spec: { id: Number(first) }, seen, brokenForwards: [] }, link, Number(port));
    }
    const { driver, reason, problem, warning, applied } = networks;
    return { driver, reason, problem, warning, applied };
  });
  await networks.close();
}

void main();
