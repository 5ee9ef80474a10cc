import type { Vm } from "../../../../lib/domain/vm";
import { ButtonLink } from "../../../ui/ButtonLink";
import { Card } from "../../../ui/Card";
import { CodeBlock } from "../../../ui/CodeBlock";
import { CopyText } from "../../../ui/CopyText";
import { Facts } from "../../../ui/Facts";
import { hasSsh } from "../../shared/vmWords";
import { keyAdvice } from "./keyAdvice";

/** How to log in: the line that works when pasted, and what it is made of. To what is installed by hand the way is its console. */
export function ConnectCard({ vm }: { vm: Vm }) {
  if (!hasSsh(vm)) {
    return (
      <Card
        title="Connect"
        description="It was made from an ISO: install its system on the console. Once that answers by SSH, the command to log in is shown here."
      >
        <ButtonLink href={`/vms/${vm.id}/console`}>Open the console</ButtonLink>
      </Card>
    );
  }
  return (
    <Card title="Connect" description={`Paste this in a terminal on ${vm.host.name}, the machine that runs Cumulus.`}>
      <CodeBlock code={vm.ssh.command} what="ssh command" wrap />
      <div className="mt-4">
        <Facts
          items={[
            { label: "User", value: <code className="font-mono">{vm.ssh.user}</code> },
            { label: "Host", value: <CopyText text={vm.ssh.host} what="ssh host" /> },
            { label: "Port", value: <CopyText text={String(vm.ssh.port)} what="ssh port" /> },
            { label: "Key", value: <Keys vm={vm} /> },
          ]}
        />
      </div>
    </Card>
  );
}

function Keys({ vm }: { vm: Vm }) {
  return (
    <>
      {vm.sshKeys.map((key) => (
        <span key={key.fingerprint} className="block">
          {key.name}
          <code title={key.fingerprint} className="block truncate font-mono text-faint text-xs">
            {key.fingerprint}
          </code>
        </span>
      ))}
      <span className="block text-muted">{keyAdvice(vm)}</span>
    </>
  );
}
