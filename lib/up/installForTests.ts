import { messageOf } from "../domain/errors";
import { installPackages } from "../system/installPackages";
import { requireArch } from "./preconditions";
import { missingPackages } from "./systemPackages";

/** Run by `npm test`: installs the system packages that Cumulus and its tests need and this computer lacks. */
async function main(): Promise<void> {
  const missing = await missingPackages(requireArch(), { forTests: true });
  if (missing.length === 0) return;
  console.log(`Installing ${missing.join(" ")}`);
  await installPackages(missing);
}

main().catch((error: unknown) => {
  console.error(messageOf(error));
  process.exitCode = 1;
});
