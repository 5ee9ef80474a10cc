import type { Benchmark, Figure, Skipped } from "./benchmark";
import { type Bed, latency, NetworkBed, throughput } from "./networkBed";
import { sampleOf } from "./stats";

const rounds = 15;
const seconds = 1;
const trips = 5_000;
type Measure = (bed: Bed) => Promise<number>;

const toNeighbour: Record<"throughput" | "latency", Measure> = {
  throughput: ({ guests, neighbour }) => throughput(guests[0], neighbour, seconds),
  latency: ({ guests, neighbour }) => latency(guests[0], neighbour, trips),
};

const measures: [name: string, unit: "MiB/s" | "ms", measure: Measure, ours: "ours" | "walled"][] = [
  ["guest to guest, throughput", "MiB/s", toNeighbour.throughput, "ours"],
  [
    "guest to internet, throughput",
    "MiB/s",
    ({ guests, internet }) => throughput(guests[0], internet, seconds),
    "ours",
  ],
  ["guest to guest, round trip", "ms", toNeighbour.latency, "ours"],
  ["guest to internet, round trip", "ms", ({ guests, internet }) => latency(guests[0], internet, trips), "ours"],
  ["guest to guest with firewalls, throughput", "MiB/s", toNeighbour.throughput, "walled"],
  ["guest to guest with firewalls, round trip", "ms", toNeighbour.latency, "walled"],
];

/** What the walls between guests cost. */
export const networkPath: Benchmark = {
  name: "network-path",
  what: "guest to guest and guest to internet, against a bridge and a masquerade without rules",
  measure: async (note) => (process.getuid?.() === 0 ? measureAll(note) : [skipped()]),
};

async function measureAll(note: (text: string) => void): Promise<Figure[]> {
  const bed = await NetworkBed.make();
  try {
    const figures: Figure[] = [];
    for (const [name, unit, measure, which] of measures) {
      note(name);
      const ours: number[] = [];
      const plain: number[] = [];
      for (let round = 0; round < rounds; round++) {
        const pair = [
          () => measure(bed[which]).then((value) => ours.push(value)),
          () => measure(bed.plain).then((value) => plain.push(value)),
        ];
        // Each of the two is first as often: the second finds the processor as the first leaves it.
        for (const one of round % 2 === 0 ? pair : pair.toReversed()) await one();
      }
      const target = unit === "ms" ? { of: "ratio" as const, atMost: 1 / 0.9 } : { of: "ratio" as const, atLeast: 0.9 };
      figures.push({
        name,
        unit,
        value: sampleOf(ours),
        baseline: { what: "without rules", value: sampleOf(plain) },
        target,
      });
    }
    return figures;
  } finally {
    await bed.close();
  }
}

function skipped(): Skipped {
  return { name: networkPath.name, skipped: "Networks are made by root: run it as root." };
}
