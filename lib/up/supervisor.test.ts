import { pino } from "pino";
import { expect, test } from "vitest";
import { type Service, Supervisor } from "./supervisor";

const silent = pino({ level: "silent" });

/** A service in memory that is ended, or fails to start, as the test says. */
class FakeService implements Service {
  readonly name: string;
  starts = 0;
  isRunning = false;
  failingStarts = 0;
  private finish: (how: string) => void = () => undefined;
  private end = Promise.resolve("not started");
  private readonly onStop: (name: string) => void;

  constructor(name: string, onStop: (name: string) => void = () => undefined) {
    this.name = name;
    this.onStop = onStop;
  }
  async start() {
    this.starts += 1;
    if (this.failingStarts > 0) {
      this.failingStarts -= 1;
      throw new Error("no");
    }
    this.isRunning = true;
    this.end = new Promise((resolve) => {
      this.finish = resolve;
    });
  }
  ended() {
    return this.end;
  }
  crash() {
    this.isRunning = false;
    this.finish("signal SIGKILL");
  }
  async stop() {
    if (this.isRunning) this.onStop(this.name);
    this.crash();
  }
}

/** A supervisor whose waits are over at once, and are written down. */
function quickSupervisor(steadyMs: number) {
  const waits: number[] = [];
  const delays = { firstMs: 500, longestMs: 4_000, steadyMs };
  const supervisor = new Supervisor(silent, delays, async (ms, signal) => {
    signal.throwIfAborted();
    waits.push(ms);
  });
  return { supervisor, waits };
}

const runsAgain = (service: FakeService) => expect.poll(() => service.isRunning).toBe(true);

test("a service that ends is started again", async () => {
  const service = new FakeService("console");
  const { supervisor } = quickSupervisor(30_000);
  await supervisor.start(service);
  service.crash();
  await runsAgain(service);
  expect(service.starts).toBe(2);
  await supervisor.stop();
});

test("the wait doubles, to a limit, while a service doesn't come up or ends soon after", async () => {
  const service = new FakeService("console");
  const { supervisor, waits } = quickSupervisor(30_000);
  await supervisor.start(service);
  service.failingStarts = 3;
  service.crash();
  await runsAgain(service);
  service.crash();
  await runsAgain(service);
  expect(waits).toEqual([500, 1_000, 2_000, 4_000, 4_000]);
  await supervisor.stop();
});

test("the wait is short again once a service has run for long", async () => {
  const service = new FakeService("console");
  const { supervisor, waits } = quickSupervisor(0);
  await supervisor.start(service);
  for (let crashes = 0; crashes < 3; crashes += 1) {
    service.crash();
    await runsAgain(service);
  }
  expect(waits).toEqual([500, 500, 500]);
  await supervisor.stop();
});

test("services stop in the reverse of their order, and none is started again", async () => {
  const stopped: string[] = [];
  const services = ["database", "agent", "console"].map((name) => new FakeService(name, (it) => stopped.push(it)));
  const { supervisor } = quickSupervisor(30_000);
  for (const service of services) await supervisor.start(service);
  await supervisor.stop();
  expect(stopped).toEqual(["console", "agent", "database"]);
  expect(services.map(({ starts }) => starts)).toEqual([1, 1, 1]);
});

test("a stop while a restart waits is not held up, and leaves nothing running", async () => {
  const service = new FakeService("console");
  const supervisor = new Supervisor(silent, { firstMs: 60_000, longestMs: 60_000, steadyMs: 0 });
  await supervisor.start(service);
  service.crash();
  await supervisor.stop();
  expect(service.starts).toBe(1);
  expect(service.isRunning).toBe(false);
});

test("a first start that fails is told, not repeated", async () => {
  const service = new FakeService("console");
  service.failingStarts = 1;
  const { supervisor, waits } = quickSupervisor(30_000);
  await expect(supervisor.start(service)).rejects.toThrow("no");
  await supervisor.stop();
  expect(service.starts).toBe(1);
  expect(waits).toEqual([]);
});
