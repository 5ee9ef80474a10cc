import type { z } from "zod";
import type { FieldErrors } from "../../lib/domain/errors";
import { defaultGatewayOf } from "../../lib/domain/ipv4";
import { createNetworkSchema, type Network, updateNetworkSchema } from "../../lib/domain/network";
import { plainWords } from "../../lib/domain/plainWords";

/** A network as it stands in the form: texts as typed. */
export interface NetworkForm {
  name: string;
  description: string;
  cidr: string;
  outside: Network["outside"];
  reaches: number[];
  /** Addresses, apart by spaces or commas. */
  dnsServers: string;
  /** Empty: the first address. */
  gateway: string;
  /** Empty: NAME.internal. */
  domain: string;
  rangeFirst: string;
  rangeLast: string;
  ipv6: boolean;
}

/** The form of a new network. @param cidr the range that is proposed; "" while none is */
export function emptyNetworkForm(cidr: string): NetworkForm {
  const texts = { name: "", description: "", dnsServers: "", gateway: "", domain: "", rangeFirst: "", rangeLast: "" };
  return { ...texts, cidr, outside: "nat", reaches: [], ipv6: false };
}

export function networkFormOf(network: Network): NetworkForm {
  const { name, description, cidr, gateway, domain, outside, reaches, dnsServers, range, ipv6Cidr } = network;
  return {
    ...{ name, description, cidr, outside, reaches },
    // One that was not chosen goes with the range, as the domain does with the name.
    gateway: gateway === defaultGatewayOf(cidr) ? "" : gateway,
    domain: domain === `${name}.internal` ? "" : domain,
    dnsServers: dnsServers.join(", "),
    rangeFirst: range?.first ?? "",
    rangeLast: range?.last ?? "",
    ipv6: ipv6Cidr !== null,
  };
}

/** The body of `POST /api/networks`. */
export function createRequestOf(form: NetworkForm): z.input<typeof createNetworkSchema> {
  const { gateway, domain, ipv6 } = form;
  const { range, ...rest } = plainRequestOf(form);
  return {
    ...rest,
    cidr: form.cidr.trim(),
    ...(gateway.trim() && { gateway: gateway.trim() }),
    ...(domain.trim() && { domain: domain.trim() }),
    ...(range && { range }),
    ...(ipv6 && { ipv6 }),
  };
}

/**
 * The body of `PATCH /api/networks/{id}`. What changes only while no VM is in the network is asked for where it is another than before.
 * @param before the form as the network was
 */
export function updateRequestOf(form: NetworkForm, before: NetworkForm): z.input<typeof updateNetworkSchema> {
  const [cidr, gateway, domain] = [form.cidr, form.gateway, form.domain].map((text) => text.trim());
  const isMoved = cidr !== before.cidr;
  // With a new range comes its first address by itself.
  const emptied = !isMoved && before.gateway !== "" && { gateway: defaultGatewayOf(before.cidr) };
  return {
    ...plainRequestOf(form),
    ...(isMoved && { cidr }),
    ...(gateway ? (isMoved || gateway !== before.gateway) && { gateway } : emptied),
    ...(domain !== before.domain && { domain: domain || `${form.name.trim()}.internal` }),
    ...(form.ipv6 !== before.ipv6 && { ipv6: form.ipv6 }),
  };
}

/** What can be asked for of a new network as of one that is there. */
function plainRequestOf(form: NetworkForm) {
  const dnsServers = form.dnsServers.split(/[\s,]+/).filter(Boolean);
  const { name, description, outside, reaches } = form;
  const [first = "", last = ""] = [form.rangeFirst, form.rangeLast].map((text) => text.trim());
  return {
    ...{ name: name.trim(), description: description.trim(), outside, reaches, dnsServers },
    range: first === "" && last === "" ? null : { first, last },
  };
}

/** What is wrong with the form, by field. @param before the form as the network was; undefined for a new one */
export function networkProblems(form: NetworkForm, before: NetworkForm | undefined): FieldErrors {
  const result =
    before === undefined
      ? createNetworkSchema.safeParse(createRequestOf(form), { error: plainWords })
      : updateNetworkSchema.safeParse(updateRequestOf(form, before), { error: plainWords });
  const problems: FieldErrors = {};
  for (const { path, message } of result.error?.issues ?? []) problems[String(path[0])] ??= message;
  return problems;
}
