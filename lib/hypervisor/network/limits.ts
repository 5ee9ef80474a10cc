import { z } from "zod";
import { interfaceKey, type NetworkState } from "../../domain/hostNetwork";
import { type Namespace, run } from "./commands";
import { tapName } from "./names";

const qdiscSchema = z.object({
  dev: z.string().optional(),
  kind: z.string(),
  options: z.object({ rate: z.number().optional() }).optional(),
});

/**
 * Shapes what interfaces receive, by a token bucket on their taps (tc-tbf(8)). What they send is limited where it comes in, by the guard's table: a link can
 * only shape what it sends itself. Answers whether that took a change.
 */
export async function applyLimits(namespace: Namespace, { networks, limits }: NetworkState): Promise<boolean> {
  const known = new Set(networks.flatMap(({ hosts }) => hosts.map(interfaceKey)));
  const wanted = new Map(
    limits.flatMap((limit) =>
      limit.ingressBytesPerSecond === null || !known.has(interfaceKey(limit))
        ? []
        : [[tapName(limit), limit.ingressBytesPerSecond] as const],
    ),
  );
  const present = await readRates(namespace);
  const lines = [
    ...[...present.keys()].filter((tap) => !wanted.has(tap)).map((tap) => `qdisc delete dev ${tap} root`),
    ...[...wanted]
      .filter(([tap, rate]) => present.get(tap) !== rate)
      // The bucket holds at least a packet of the largest kind (64 KiB), which a rate of a tenth of a second may not.
      .map(
        ([tap, rate]) =>
          `qdisc replace dev ${tap} root tbf rate ${rate}bps burst ${Math.max(131_072, Math.round(rate / 10))} latency 100ms`,
      ),
  ];
  if (lines.length > 0) await run(namespace, "tc", ["-batch", "-"], `${lines.join("\n")}\n`);
  return lines.length > 0;
}

/** Bytes per second, by tap. */
async function readRates(namespace: Namespace): Promise<Map<string, number>> {
  const text = await run(namespace, "tc", ["-json", "qdisc", "show"]);
  const qdiscs = z.array(qdiscSchema).parse(JSON.parse(text || "[]"));
  return new Map(
    qdiscs.flatMap(({ dev, kind, options }) =>
      kind === "tbf" && dev !== undefined && options?.rate !== undefined ? [[dev, options.rate] as const] : [],
    ),
  );
}
