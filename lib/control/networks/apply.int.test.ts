import { beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { createFakeHypervisor } from "../../hypervisor/fake";
import type { Context } from "../context";
import { testControlPlane } from "../testControlPlane";
import { startWorker } from "../worker";
import { applyNetworks, requestNetworksAnew } from "./apply";
import { createNetwork, deleteNetwork, getNetwork, updateNetwork } from "./networks";

const plane = testControlPlane();
let context: Context;
/** The names of the networks that the host was told of, each time. */
let told: string[][];
/** What the host does before it puts a state into effect. */
let before: () => Promise<void>;
let worker: ReturnType<typeof startWorker>;

beforeEach(async () => {
  await plane.pool.query("truncate hosts, networks restart identity cascade");
  const fake = createFakeHypervisor({ networkDriver: "bridge" });
  onTestFinished(() => fake.close());
  told = [];
  before = async () => {};
  context = await plane.hostedContextWith({
    ...fake,
    applyNetworks: async (state) => {
      told.push(state.networks.map(({ name }) => name).sort());
      await before();
      await fake.applyNetworks(state);
    },
  });
  worker = startWorker(context);
  onTestFinished(() => worker.stop());
  await allDone();
  expect(told).toEqual([["default"]]);
  told.length = 0;
});

const patience = { timeout: 30_000, interval: 20 };

/**
 * The worker has nothing left to do, and does nothing. A job that failed after its successor was added is never tried again, and stays as a row
 * (graphile-worker, `add_job`: it takes a locked job's key and its further attempts).
 */
const allDone = () =>
  vi.waitFor(async () => {
    const { rows } = await plane.pool.query(
      `select task_identifier, last_error from graphile_worker.jobs
        where task_identifier like '%-networks' and (locked_at is not null or attempts < max_attempts)`,
    );
    expect(rows).toEqual([]);
  }, patience);
const make = (name: string, cidr: string) => createNetwork(context, { name, cidr });

describe("a host's networks", () => {
  test("are told to it once for each change, by whoever waits for it or by the worker", async () => {
    const { id } = await make("one", "10.1.0.0/24");
    await allDone();
    expect(told).toEqual([["default", "one"]]);
    await updateNetwork(context, id, { name: "other" });
    await allDone();
    expect(told.slice(1)).toEqual([["default", "other"]]);
    await deleteNetwork(context, id);
    await allDone();
    expect(told.slice(2)).toEqual([["default"]]);
  });

  test("are told again when they change while they are told", async () => {
    let second: Promise<unknown> | undefined;
    before = async () => {
      if (second) return;
      second = make("second", "10.2.0.0/24");
      await vi.waitFor(async () => {
        expect((await plane.pool.query("select 1 from networks where name = 'second'")).rows).toHaveLength(1);
      }, patience);
    };
    await make("first", "10.1.0.0/24");
    await second;
    await allDone();
    await vi.waitFor(() => expect(told).toHaveLength(2), patience);
    expect(told).toEqual([
      ["default", "first"],
      ["default", "first", "second"],
    ]);
  });

  test("are told by the worker when whoever made the change could not", async () => {
    before = async () => {
      if (told.length === 1) throw new Error("not now");
    };
    await worker.stop();
    const { pending } = await make("late", "10.1.0.0/24");
    expect(pending).toContain("not now");
    worker = startWorker(context);
    await allDone();
    expect(told).toEqual([
      ["default", "late"],
      ["default", "late"],
    ]);
    expect((await getNetwork(context, 1)).pending).toBeNull();
  });

  test("are told again when a change that failed is taken back", async () => {
    before = async () => {
      throw new Error("never");
    };
    const { id } = await make("half", "10.1.0.0/24");
    before = async () => {};
    told.length = 0;
    await deleteNetwork(context, id);
    await allDone();
    expect(told).toContainEqual(["default"]);
    expect((await getNetwork(context, 1)).pending).toBeNull();
  });

  test("are told anew, unchanged, where that is asked for: by the clock, and before a VM starts", async () => {
    await requestNetworksAnew(context.db);
    await allDone();
    expect(told).toEqual([["default"]]);
    await applyNetworks(context);
    expect(told).toHaveLength(2);
  });
});
