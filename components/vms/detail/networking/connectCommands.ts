import { allAddresses, type PortForwardView } from "../../../../lib/domain/portForward";
import type { Vm } from "../../../../lib/domain/vm";
import type { VmNetworking } from "../../../../lib/domain/vmNetworking";

export interface ConnectCommand {
  /** What it does, and where it works. */
  title: string;
  code: string;
}

/** What the commands promise: firewalls are in effect on bridges alone. */
export function connectPromise({ driver, firewalls }: Pick<VmNetworking, "driver" | "firewalls">): string {
  const promise = "Each works when pasted where it says";
  return driver === "bridge" && firewalls.length > 0 ? `${promise}, as far as its firewalls let it in.` : `${promise}.`;
}

/**
 * Command lines that reach a VM, and addresses of the host that lead to it, each of which works where its title says.
 * @param hostAddresses IPv4 addresses of the host; none while they are not known
 */
export function connectCommands(
  { ssh, host }: Pick<Vm, "ssh" | "host">,
  { driver, interfaces, forwards }: Pick<VmNetworking, "driver" | "interfaces" | "forwards">,
  hostAddresses: readonly string[],
): ConnectCommand[] {
  const { user, port, options } = ssh;
  const portOf = (flag: string, number: number) => (number === 22 ? "" : `${flag} ${number} `);
  const line = (...parts: string[]) => parts.filter(Boolean).join(" ").replaceAll(/ +/g, " ");
  const onHost: ConnectCommand[] = [
    { title: `Log in, from ${host.name}`, code: ssh.command },
    {
      title: `Copy a file to it, from ${host.name}`,
      code: line(`scp ${portOf("-P", port)}`, options, `FILE ${user}@${ssh.host}:`),
    },
    {
      title: `Have its port 80 as http://localhost:8080 on ${host.name}`,
      code: line(`ssh -N -L 8080:localhost:80 ${portOf("-p", port)}`, options, `${user}@${ssh.host}`),
    },
  ];
  const outer = hostAddresses.find((address) => !isLoopback(address)) ?? host.name;
  const addressOf = ({ hostAddress }: PortForwardView) => (hostAddress === allAddresses ? outer : hostAddress);
  const inEffect = forwards.filter(({ whyNot }) => whyNot === null);
  const sshForward = inEffect.find((one) => one.port === 22 && one.protocol === "tcp" && !isLoopback(one.hostAddress));
  const fromElsewhere = sshForward && {
    title: `Log in, from machines that reach ${host.name}`,
    code: line(`ssh ${portOf("-p", sshForward.hostPort)}`, options, `${user}@${addressOf(sshForward)}`),
  };
  const others = inEffect
    .filter((one) => one !== sshForward)
    .map((one) => ({
      title: `Its port ${one.port} (${one.protocol.toUpperCase()}), ${isLoopback(one.hostAddress) ? `from ${host.name} itself` : `from machines that reach ${host.name}`}, by port ${one.hostPort}`,
      code: `${addressOf(one)}:${one.hostPort}`,
    }));
  // The guest sets a further one up in its own time; until then no command reaches it.
  const present = interfaces.filter(({ id, status }) => id === "net0" || status === null || status.isAddressSeen);
  const fromVms = present.map(({ dnsName, network }) => ({
    title: `Reach it from another VM of ${network.name}`,
    code: `ping ${dnsName}`,
  }));
  const byIpv6 = present.flatMap(({ id, ipv6 }) =>
    ipv6 === null
      ? []
      : [{ title: `Reach ${id} by IPv6, from ${host.name} or from another VM`, code: `ping -6 ${ipv6}` }],
  );
  return [
    ...onHost,
    ...(fromElsewhere ? [fromElsewhere] : []),
    ...others,
    ...(driver === "bridge" ? [...fromVms, ...byIpv6] : []),
  ];
}

function isLoopback(address: string): boolean {
  return address.startsWith("127.");
}
