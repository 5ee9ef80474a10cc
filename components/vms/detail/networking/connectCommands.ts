import type { Vm } from "../../../../lib/domain/vm";
import type { VmNetworking } from "../../../../lib/domain/vmNetworking";

export interface ConnectCommand {
  /** What it does, and where it works. */
  title: string;
  code: string;
}

/** Command lines that reach a VM, each of which works when pasted where its title says. */
export function connectCommands(
  { ssh, host }: Pick<Vm, "ssh" | "host">,
  { driver, interfaces, forwards }: Pick<VmNetworking, "driver" | "interfaces" | "forwards">,
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
  const sshForward = forwards.find(
    (one) => one.port === 22 && one.protocol === "tcp" && one.whyNot === null && !isLoopback(one.hostAddress),
  );
  const fromElsewhere = sshForward && {
    title: `Log in, from machines that reach ${host.name}`,
    code: line(
      `ssh ${portOf("-p", sshForward.hostPort)}`,
      options,
      `${user}@${sshForward.hostAddress === "0.0.0.0" ? host.name : sshForward.hostAddress}`,
    ),
  };
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
    ...(driver === "bridge" ? [...fromVms, ...byIpv6] : []),
  ];
}

function isLoopback(address: string): boolean {
  return address.startsWith("127.");
}
