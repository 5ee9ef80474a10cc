import { checkNetworks } from "../checks/networks";
import { gatherNetwork } from "../gather/network";
import { healthySnapshot } from "../testSnapshot";

/** Prints what the auditor tells of networks, from within the namespace that is their host. Its one argument is the installation's paths as JSON. */
async function main(): Promise<void> {
  const paths = { ...healthySnapshot().paths, ...JSON.parse(process.argv[2] ?? "") };
  const network = await gatherNetwork(paths);
  const messages = checkNetworks({ ...healthySnapshot(), paths, vms: [], machines: [], network }).map(
    ({ message }) => message,
  );
  console.log(JSON.stringify(messages));
}

void main();
