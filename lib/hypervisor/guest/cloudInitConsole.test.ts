import { describe, expect, test } from "vitest";
import { emptyFirstBootReport, type FirstBootReport, withProblem } from "../../domain/firstBootReport";
import { CloudInitConsole, type CloudInitSign } from "./cloudInitConsole";

function read(transcript: string): CloudInitSign[] {
  const console = new CloudInitConsole();
  return transcript.split("\n").flatMap((line) => console.read(line));
}

/** As Debian 12's cloud-init said it, here and there left out. */
const goodBoot = `
         Starting [0;1;39mcloud-init-local.…cloud-init job (pre-networking)...
[   16.689345] cloud-init[202]: Cloud-init v. 22.4.2 running 'init-local' at Sun, 22 Nov 2026 23:35:42 +0000. Up 16.26 seconds.
[[0;32m  OK  [0m] Finished [0;1;39mcloud-init-local.…l cloud-init job (pre-networking).
[   28.598376] cloud-init[225]: Cloud-init v. 22.4.2 running 'init' at Sun, 22 Nov 2026 23:35:54 +0000. Up 27.74 seconds.
[   29.536841] cloud-init[225]: ci-info: |  eth0  | True |       192.168.0.9       | 255.255.255.0 | global | 52:54:00:00:00:09 |
[   32.950476] cloud-init[225]: 2026-11-22 23:35:59,556 - schema.py[WARNING]: Deprecated cloud-config provided:
[   33.007055] cloud-init[225]: growpart.mode: DEPRECATED: Specifying a boolean \`\`false\`\` value for this key is deprecated.
[   34.590526] cloud-init[225]: 2026-11-22 23:36:01,147 - cc_growpart.py[WARNING]: DEPRECATED: growpart mode 'False' is deprecated.
[   36.698360] cloud-init[225]: Generating public/private ed25519 key pair.
deb-1 login: [   74.358549] cloud-init[290]: Cloud-init v. 22.4.2 running 'modules:config' at Sun, 22 Nov 2026 23:36:39 +0000. Up 72.60 seconds.
[   84.646821] cloud-init[315]: Cloud-init v. 22.4.2 running 'modules:final' at Sun, 22 Nov 2026 23:36:50 +0000. Up 84.06 seconds.
[   84.974728] cloud-init[315]: Cloud-init v. 22.4.2 finished at Sun, 22 Nov 2026 23:36:51 +0000. Datasource DataSourceNoCloud [seed=/dev/vdb][dsmode=net].  Up 84.89 seconds
`;

/** The same with a package that is not there, a script that fails, and a key that cloud-init doesn't know. */
const failingBoot = `
[   44.970000] cloud-init[225]: 2026-11-22 23:47:35,100 - schema.py[WARNING]: Invalid cloud-config provided: Please run 'sudo cloud-init schema --system' to see the schema errors.
[   55.300000] cloud-init[315]: Cloud-init v. 22.4.2 running 'modules:final' at Sun, 22 Nov 2026 23:47:55 +0000. Up 79.72 seconds.
[   64.100000] cloud-init[315]: Reading state information...
[   65.300000] cloud-init[315]: E: Unable to locate package no-such-package
[   66.482000] cloud-init[315]: 2026-11-22 23:48:06,482 - util.py[WARNING]: Failed to install packages: ['no-such-package']
[   66.517000] cloud-init[315]: 2026-11-22 23:48:06,517 - cc_package_update_upgrade_install.py[WARNING]: 1 failed with exceptions, re-raising the last one
[   66.523000] cloud-init[315]: 2026-11-22 23:48:06,523 - util.py[WARNING]: Running module package-update-upgrade-install (<module 'cloudinit.config.cc_package_update_upgrade_install' from '/usr/lib/python3/dist-packages/cloudinit/config/cc_package_update_upgrade_install.py'>) failed
[   66.600000] sshd[500]: Server listening on 0.0.0.0 port 22.
[   66.638000] cloud-init[315]: 2026-11-22 23:48:06,638 - cc_scripts_user.py[WARNING]: Failed to run module scripts-user (scripts in /var/lib/cloud/instance/scripts)
[   66.644000] cloud-init[315]: 2026-11-22 23:48:06,644 - util.py[WARNING]: Running module scripts-user (<module 'cloudinit.config.cc_scripts_user' from '/usr/lib/python3/dist-packages/cloudinit/config/cc_scripts_user.py'>) failed
[   66.700000] cloud-init[315]: Cloud-init v. 22.4.2 finished at Sun, 22 Nov 2026 23:48:06 +0000. Datasource DataSourceNoCloud [seed=/dev/vdb][dsmode=net].  Up 91.05 seconds
`;

function reportOf(transcript: string): FirstBootReport {
  return read(transcript).reduce((before, sign) => {
    if ("warning" in sign) return withProblem(before, "warnings", sign.warning);
    return "error" in sign ? withProblem(before, "errors", sign.error) : before;
  }, emptyFirstBootReport);
}

describe("cloud-init on the console", () => {
  test("tells its four stages in their order, and its end; what is deprecated is no warning", () => {
    expect(read(goodBoot)).toEqual([
      { stage: "local" },
      { stage: "init" },
      { stage: "config" },
      { stage: "final" },
      { isFinished: true },
    ]);
  });

  test("tells which module failed, with what was said before it, and once", () => {
    const { errors } = reportOf(failingBoot);
    expect(errors.map(({ module }) => module)).toEqual(["package_update_upgrade_install", "scripts_user"]);
    expect(errors[0]?.lines).toEqual([
      "Reading state information...",
      "E: Unable to locate package no-such-package",
      "Failed to install packages: ['no-such-package']",
      "1 failed with exceptions, re-raising the last one",
      expect.stringContaining("Running module package-update-upgrade-install"),
    ]);
    expect(errors[1]?.lines).toHaveLength(2);
  });

  test("tells complaints that nothing failed of, when their stage is over", () => {
    const { warnings } = reportOf(failingBoot);
    expect(warnings).toEqual([{ module: "schema", lines: [expect.stringMatching(/^Invalid cloud-config provided/)] }]);
  });

  test("other programs' lines are not cloud-init's", () => {
    expect(read("[   24.5] sh[1]: 2030 - util.py[WARNING]: Running module x (y) failed")).toEqual([]);
  });
});
