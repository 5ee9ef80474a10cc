import { join } from "node:path";
import { execa } from "execa";
import { shadowedForwardsCode } from "../domain/consolePort";
import { CumulusError, messageOf } from "../domain/errors";
import { hostSchema, noBridgeCode } from "../domain/host";
import type { Settings } from "../env";
import { ensureBuiltInImages } from "../images/builtIn";
import type { Log } from "../log";
import { projectDir } from "../paths";
import { type ServiceAccount, serviceRunner } from "../serviceAccount";
import { installPackages } from "../system/installPackages";
import { endLeftover } from "./childService";
import { callAsAdministrator } from "./consoleClient";
import { DatabaseService, requireDatabase } from "./databaseService";
import { makeSecrets, requireReachable } from "./folders";
import { agentService, consoleService } from "./parts";
import { requireArch, requireFreePort, requireQemu } from "./preconditions";
import type { Progress } from "./progress";
import type { Supervisor } from "./supervisor";
import { missingPackages } from "./systemPackages";
import { VmsService } from "./vmsService";

export interface StartContext {
  settings: Settings;
  account: ServiceAccount | undefined;
  supervisor: Supervisor;
  progress: Progress;
  log: Log;
  /** Breaks the start off. */
  signal: AbortSignal;
}

/**
 * Brings all parts up. What doesn't depend on each other happens at once:
 *
 *     preconditions ─┬─ database ──┐
 *                    ├─ app build ─┼─ console ─┐
 *                    ├─ agent ─────┘           ├─ ready
 *                    └─ built-in image ────────┘
 */
export async function start(context: StartContext): Promise<void> {
  const { settings, account, supervisor, progress, signal } = context;
  const arch = requireArch();
  // A supervisor that was killed left them; VMs don't mind that they are replaced.
  for (const part of ["console", "agent"] as const) await endLeftover(part, settings);
  await requireFreePort(settings, account);
  const missing = await missingPackages(arch, { forTests: false });
  if (missing.length > 0) {
    await progress.step("system packages", () => installPackages(missing, signal), `installing ${missing.join(" ")}`);
  }
  requireQemu(arch);
  const runner = await serviceRunner(account, settings);
  await requireReachable(settings, runner);
  await makeSecrets(settings, account);

  const database = progress.step("database", async () => {
    if (settings.databaseUrl) await requireDatabase(settings.databaseUrl);
    else await supervisor.start(new DatabaseService(settings));
  });
  const agent = progress.step("agent", () => supervisor.start(agentService(settings)));
  const build = progress.step("app", () => buildApp(signal));
  const image = progress.step("image mini", () => addBuiltInImage(context));
  const all = [database, agent, build, image];
  // Wait for the console's turn, but hear at once of any that fails.
  await Promise.race([Promise.all([database, agent, build]), failureOf(all)]);
  if (settings.stopsVms) await supervisor.start(new VmsService(settings));
  await progress.step("console", () => supervisor.start(consoleService(settings, account, runner)));
  await Promise.all(all);
  await tellOfConflicts(context);
}

const toldCodes = [shadowedForwardsCode, noBridgeCode];

/** Says what of the environment could not be followed: forwards of the port that Cumulus was just given, bridges that can't be had. */
async function tellOfConflicts({ settings, progress, log }: StartContext): Promise<void> {
  try {
    const host = hostSchema.parse(await callAsAdministrator(settings, "GET", "/api/host"));
    const told = host.report?.degraded.filter(({ code }) => toldCodes.includes(code)) ?? [];
    for (const { code, message } of told) progress.warn(code === noBridgeCode ? "networks" : "forwards", message);
  } catch (error) {
    log.warn({ err: error }, "the host could not be asked what of it is degraded");
  }
}

async function buildApp(signal: AbortSignal): Promise<void> {
  const script = join(projectDir, "scripts", "setup", "appBuild.mjs");
  const build = await execa(process.execPath, [script], {
    cwd: projectDir,
    all: true,
    reject: false,
    cancelSignal: signal,
  });
  signal.throwIfAborted();
  if (!build.failed) return;
  throw new CumulusError(
    "internal",
    `The app could not be built:\n${build.all.trim().split("\n").slice(-30).join("\n")}`,
  );
}

/** Whether the built-in image is there. A machine that can't build it is still a cloud: the administrator adds one. */
async function addBuiltInImage({ settings, progress, log, signal }: StartContext): Promise<boolean> {
  try {
    const image = await ensureBuiltInImages(settings, (line) => log.info(line), signal);
    if (image.state !== "unavailable") return true;
    progress.warn(
      "image mini",
      `can't be made here: ${image.reason} Until you add an image, there is nothing to boot.`,
    );
  } catch (error) {
    signal.throwIfAborted();
    log.error({ err: error }, `The image mini could not be built: ${messageOf(error)}`);
    progress.warn("image mini", `could not be built: ${messageOf(error)}`);
  }
  return false;
}

/** Rejects as soon as one of them does, and never resolves. */
function failureOf(promises: Promise<unknown>[]): Promise<never> {
  return new Promise((_resolve, reject) => {
    for (const promise of promises) promise.catch(reject);
  });
}
