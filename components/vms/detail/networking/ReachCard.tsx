"use client";

import type { Vm } from "../../../../lib/domain/vm";
import type { VmNetworking } from "../../../../lib/domain/vmNetworking";
import { useForwardAddresses } from "../../../networks/useNetworkData";
import { Card } from "../../../ui/Card";
import { CodeBlock } from "../../../ui/CodeBlock";
import { connectCommands, connectPromise } from "./connectCommands";

/** The exact commands that reach it. */
export function ReachCard({ vm, networking }: { vm: Vm; networking: VmNetworking }) {
  const addresses = useForwardAddresses().data ?? [];
  return (
    <Card title="Connect" description={connectPromise(networking)}>
      <ul className="flex flex-col gap-3">
        {connectCommands(vm, networking, addresses).map(({ title, code }) => (
          <li key={`${title} ${code}`}>
            <p className="mb-1 text-sm">{title}</p>
            <CodeBlock code={code} what={title} wrap />
          </li>
        ))}
      </ul>
    </Card>
  );
}
