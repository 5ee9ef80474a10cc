import { join } from "node:path";
import { projectDir } from "../../paths";

/** What libguestfs opens disks with takes a minute to make: tests share it, beside the other caches of tools. */
export const testAppliance = join(projectDir, "node_modules", ".cache", "cumulus-test-appliance");
