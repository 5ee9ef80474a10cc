import type { z } from "zod";
import type { FieldErrors } from "../../lib/domain/errors";
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
    ...{ name, description, cidr, gateway, outside, reaches },
    // One that was not chosen goes with the name.
    domain: domain === `${name}.internal` ? "" : domain,
    dnsServers: dnsServers.join(", "),
    rangeFirst: range?.first ?? "",
    rangeLast: range?.last ?? "",
    ipv6: ipv6Cidr !== null,
  };
}

/** The body of `POST /api/networks`. */
export function createRequestOf(form: NetworkForm): z.input<typeof createNetworkSchema> {
  const [cidr, gateway, domain] = [form.cidr, form.gateway, form.domain].map((text) => text.trim());
  const { range, ...rest } = updateRequestOf(form);
  return {
    ...rest,
    name: form.name.trim(),
    cidr: cidr ?? "",
    ...(gateway && { gateway }),
    ...(domain && { domain }),
    ...(range && { range }),
  };
}

/** The body of `PATCH /api/networks/{id}`. */
export function updateRequestOf(form: NetworkForm): z.input<typeof updateNetworkSchema> {
  const dnsServers = form.dnsServers.split(/[\s,]+/).filter(Boolean);
  const { name, description, outside, reaches, ipv6 } = form;
  const [first = "", last = ""] = [form.rangeFirst, form.rangeLast].map((text) => text.trim());
  return {
    ...{ name: name.trim(), description: description.trim(), outside, reaches, dnsServers },
    range: first === "" && last === "" ? null : { first, last },
    ...(ipv6 && { ipv6 }),
  };
}

/** What is wrong with the form, by field. */
export function networkProblems(form: NetworkForm, kind: "create" | "update"): FieldErrors {
  const result =
    kind === "create"
      ? createNetworkSchema.safeParse(createRequestOf(form), { error: plainWords })
      : updateNetworkSchema.safeParse(updateRequestOf(form), { error: plainWords });
  const problems: FieldErrors = {};
  for (const { path, message } of result.error?.issues ?? []) problems[String(path[0])] ??= message;
  return problems;
}
