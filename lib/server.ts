import { createServer, type IncomingMessage, Server } from "node:http";
import type { Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import next from "next";
import { tellLength } from "./api/contentLength";
import { toProblem } from "./api/problem";
import { ensureAdministrator } from "./auth/account";
import { isAllowedHost } from "./auth/allowedHosts";
import { clientAddressHeader, hostForUrl } from "./auth/auth";
import { authenticate } from "./auth/authenticate";
import { isProxied, proxiedHeader } from "./auth/proxied";
import { type ConsoleUpgrades, createConsoleUpgrades } from "./console/upgrades";
import { ensureBaseRows } from "./control/hosts";
import { startResync } from "./control/resync";
import { startTaskFollower } from "./control/tasks/follower";
import { getVm } from "./control/vms/view";
import { startWorker, workerConcurrency } from "./control/worker";
import { migrateDatabase, waitForDatabase } from "./db/migrate";
import { CumulusError, messageOf } from "./domain/errors";
import { projectDir } from "./paths";
import { createServices, type Services } from "./services";
import { mapStackTraces } from "./sourceMaps";

/** How long the console waits for a database that is starting. */
const databaseDeadlineMs = 60_000;

/** The longest that a request may take to arrive. */
const uploadTimeoutMs = 24 * 60 * 60 * 1000;

/**
 * The console process: pages and API (Next), the WebSocket upgrades of the consoles, and the worker that converges. It holds no root and no QEMU; ending it
 * stops no VM.
 */
async function main(): Promise<void> {
  mapStackTraces();
  // A converging VM holds one connection and uses a second one.
  const services = createServices(2 * workerConcurrency + 4);
  const { context } = services;
  const { log, settings } = context;
  await waitForDatabase(context.pool, databaseDeadlineMs);
  await migrateDatabase(settings);
  await ensureBaseRows(context);
  await ensureAdministrator(context.db);
  const upgrades = createConsoleUpgrades(consoleDeps(services));
  const server = await startHttpServer(services, upgrades);
  const worker = startWorker(context);
  const resync = startResync(context);
  const tasks = startTaskFollower(context, services.changes);
  log.info(`console listens on http://${hostForUrl(settings.host)}:${settings.port}`);

  let isStopping = false;
  const stop = async (signal: string) => {
    if (isStopping) return;
    isStopping = true;
    log.info({ signal }, "console stops; VMs go on running");
    upgrades.close();
    server.close();
    server.closeAllConnections();
    await Promise.allSettled([resync.stop(), tasks.stop(), worker.stop()]);
    await Promise.race([context.pool.end(), delay(2_000)]);
    process.exit(0);
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => void stop(signal));
}

/** What the OS Cloud lab's own server says there. */
const welcome = "Welcome to OS Cloud!";

/** curl at `/`, say: browsers ask for HTML. */
function isProgramAtTheRoot({ method, url, headers }: IncomingMessage): boolean {
  const isRoot = (method === "GET" || method === "HEAD") && url === "/";
  return isRoot && !headers.accept?.includes("text/html") && headers.rsc === undefined;
}

/**
 * Next gets an HTTP server of its own that never listens: it would otherwise answer upgrades itself and close sockets whose path is a route's.
 */
async function startHttpServer(services: Services, upgrades: ConsoleUpgrades): Promise<Server> {
  const { settings } = services.context;
  const isDevelopment = process.env.NODE_ENV === "development";
  const upgradeTarget = new Server();
  const app = next({
    dev: isDevelopment,
    dir: projectDir,
    hostname: settings.host,
    port: settings.port,
    httpServer: upgradeTarget,
  });
  await app.prepare();
  const handle = app.getRequestHandler();
  const server = createServer((request, response) => {
    // Only we say where a request came from: what the client claims is replaced.
    request.headers[proxiedHeader] = isProxied(request.headers) ? "yes" : "no";
    request.headers[clientAddressHeader] = request.socket.remoteAddress ?? "unknown";
    tellLength(response);
    if (isProgramAtTheRoot(request)) return void response.writeHead(200, { "content-type": "text/plain" }).end(welcome);
    handle(request, response).catch((err) => {
      services.context.log.error({ err, path: request.url }, "request failed");
      response.destroy();
    });
  });
  // Node would end an upload after five minutes.
  server.requestTimeout = uploadTimeoutMs;
  server.on("upgrade", (request: IncomingMessage, socket: Socket, head: Buffer) => {
    const isOfDevelopment = isDevelopment && request.url?.startsWith("/_next/");
    if (isOfDevelopment) upgradeTarget.emit("upgrade", request, socket, head);
    else upgrades.handleUpgrade(request, socket, head);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(settings.port, settings.host, resolve);
  });
  return server;
}

function consoleDeps(services: Services): Parameters<typeof createConsoleUpgrades>[0] {
  const { context } = services;
  return {
    authenticate: async (request) => {
      const headers = new Headers();
      for (const name of ["authorization", "cookie"]) {
        const value = request.headers[name];
        if (typeof value === "string") headers.set(name, value);
      }
      const found = await authenticate({ ...services, db: context.db }, headers);
      return found && { kind: found.by, userName: found.actor.name };
    },
    findVm: async (id) => {
      try {
        return await getVm(context, id);
      } catch (error) {
        if (error instanceof CumulusError && error.code === "not_found") return null;
        throw error;
      }
    },
    agent: services.agent,
    isAllowedHost: (host) => isAllowedHost(host, context.settings),
    onRightsChange: (listener) =>
      services.changes.subscribe((change) => {
        if (change.kind === "vm" || change.kind === "token") listener();
      }),
    toProblem,
    log: context.log,
  };
}

main().catch((error) => {
  process.stderr.write(`The console could not start: ${messageOf(error)}\n`);
  process.exit(1);
});
