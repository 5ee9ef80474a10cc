import * as z from "zod";
import { interfaceStatusSchema, reachabilityCheckSchema } from "./hostNetwork";
import { chosenMacSchema } from "./mac";
import { portSchema } from "./port";
import { portForwardViewSchema } from "./portForward";

/** More than any link has (800 Gbit/s). */
const maxBytesPerSecond = 100_000_000_000;

/** Bytes a second as the VM sees it: `ingress` is what it receives. Null: no limit. */
export const bandwidthSchema = z
  .strictObject({
    ingressBytesPerSecond: z.number().int().min(1000).max(maxBytesPerSecond).nullable(),
    egressBytesPerSecond: z.number().int().min(1000).max(maxBytesPerSecond).nullable(),
  })
  .meta({ id: "Bandwidth" });
export type Bandwidth = z.infer<typeof bandwidthSchema>;

/** `POST /api/vms/{id}/interfaces`. */
export const plugInterfaceSchema = z
  .strictObject({
    network: z.string().min(1).max(63).meta({ description: "A network's name." }),
    ipv4: z
      .ipv4()
      .optional()
      .meta({ description: "One that is free, or reserved with a MAC; the lowest free one when not given." }),
    mac: chosenMacSchema
      .optional()
      .meta({ description: "One that is free; the one that is reserved with the address, or any, when not given." }),
  })
  .meta({ id: "PlugInterface" });
export type PlugInterface = z.infer<typeof plugInterfaceSchema>;

export const vmInterfaceSchema = z.object({
  /** `net0` is the first, which stays. */
  id: z.string(),
  network: z.object({ id: z.number().int(), name: z.string(), cidr: z.string() }),
  mac: z.string(),
  ipv4: z.string(),
  /** Beside it, where the network has IPv6; null where it hasn't, and with user-mode networks. */
  ipv6: z.string().nullable(),
  /** It is to go, and does once the guest has let go of it. */
  isLeaving: z.boolean(),
  whyNotPlugged: z.string().nullable().meta({
    description: "Why the VM doesn't have it, though it is to; null where it does, or will when it runs.",
  }),
  /** The name that VMs of the network resolve to it. */
  dnsName: z.string(),
  limit: bandwidthSchema,
  /** What the host sees of it now; null where networks are user-mode, or the host doesn't answer. */
  status: interfaceStatusSchema.omit({ vmId: true, interfaceId: true, networkId: true }).nullable(),
});
export type VmInterface = z.infer<typeof vmInterfaceSchema>;

/** `GET /api/vms/{id}/networking`. */
export const vmNetworkingSchema = z
  .object({
    driver: z.enum(["bridge", "user"]),
    whyNot: z.string().nullable().meta({
      description:
        "Why firewalls, limits and further interfaces can't be had here, nor forwards of other addresses than the loopback's; null where they can. Where `driver` is `user`, those that are there are not in effect.",
    }),
    whyNoForward: z.string().nullable().meta({ description: "Why no port can be forwarded; null where one can." }),
    /** Why the host has not put the last changes into effect yet; null when all are. */
    pending: z.string().nullable(),
    /** When the host was asked what it sees of the interfaces; null where it didn't answer, or can't tell. */
    seenAt: z.iso.datetime().nullable(),
    interfaces: z.array(vmInterfaceSchema),
    forwards: z.array(portForwardViewSchema),
    /** Ids of its firewalls. */
    firewalls: z.array(z.number().int()),
  })
  .meta({ id: "VmNetworking" });
export type VmNetworking = z.infer<typeof vmNetworkingSchema>;

/** What an interface has carried since it was made, as the VM sees it. */
export const interfaceTrafficSchema = z.object({
  /** Of the interface: `net0`. */
  id: z.string(),
  receivedBytes: z.number().int(),
  receivedPackets: z.number().int(),
  sentBytes: z.number().int(),
  sentPackets: z.number().int(),
});

/** What a host read at a moment; no interfaces for a VM that is off, or has a user-mode network. */
export const trafficReadingSchema = z.object({
  at: z.iso.datetime(),
  interfaces: z.array(interfaceTrafficSchema),
});
export type TrafficReading = z.infer<typeof trafficReadingSchema>;

const byteRateSchema = z.number().nonnegative().nullable();

/** An event of `GET /api/vms/{id}/traffic`: rates over the time since the event before, null in the first. */
export const vmTrafficSchema = trafficReadingSchema
  .extend({
    interfaces: z.array(
      interfaceTrafficSchema.extend({ receivedBytesPerSecond: byteRateSchema, sentBytesPerSecond: byteRateSchema }),
    ),
  })
  .meta({ id: "VmTraffic" });
export type VmTraffic = z.infer<typeof vmTrafficSchema>;

/** A reading with its rates since the one before. Counters that went back are those of a new interface. Pure. */
export function withRates(before: TrafficReading | null, now: TrafficReading): VmTraffic {
  const seconds = before === null ? 0 : (Date.parse(now.at) - Date.parse(before.at)) / 1000;
  const rate = (old: number | undefined, bytes: number) =>
    old === undefined || seconds <= 0 || bytes < old ? null : Math.round((bytes - old) / seconds);
  return {
    at: now.at,
    interfaces: now.interfaces.map((link) => {
      const old = before?.interfaces.find(({ id }) => id === link.id);
      return {
        ...link,
        receivedBytesPerSecond: rate(old?.receivedBytes, link.receivedBytes),
        sentBytesPerSecond: rate(old?.sentBytes, link.sentBytes),
      };
    }),
  };
}

/** `PUT /api/vms/{id}/firewalls`. */
export const vmFirewallsSchema = z
  .strictObject({
    /** Ids of firewalls; none: nothing is kept out. */
    firewalls: z.array(z.number().int().positive()).max(16),
  })
  .meta({ id: "VmFirewalls" });

/** `POST /api/vms/{id}/diagnose`. */
export const diagnoseSchema = z
  .strictObject({
    /** A TCP port of the VM. */
    port: portSchema.default(22),
    /** At whose address it is looked for. */
    interface: z
      .string()
      .regex(/^net\d$/, 'Give one of the VM\'s interfaces, such as "net0".')
      .default("net0"),
  })
  .meta({ id: "Diagnose" });
export type Diagnose = z.infer<typeof diagnoseSchema>;

/** One step of "why can't I reach it?", with the firewalls that it is about. */
export const diagnosisCheckSchema = reachabilityCheckSchema.omit({ rule: true }).extend({
  firewalls: z.array(z.object({ id: z.number().int(), name: z.string() })).meta({
    description: "Of `firewall`: those that let it through, or those that keep it out.",
  }),
});
export type DiagnosisCheck = z.infer<typeof diagnosisCheckSchema>;

export const diagnosisSchema = z.object({ checks: z.array(diagnosisCheckSchema) }).meta({ id: "Diagnosis" });
