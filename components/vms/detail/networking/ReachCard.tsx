import type { Vm } from "../../../../lib/domain/vm";
import type { VmNetworking } from "../../../../lib/domain/vmNetworking";
import { Card } from "../../../ui/Card";
import { CodeBlock } from "../../../ui/CodeBlock";
import { connectCommands } from "./connectCommands";

/** The exact commands that reach it. */
export function ReachCard({ vm, networking }: { vm: Vm; networking: VmNetworking }) {
  return (
    <Card title="Connect" description="Each works when pasted where it says.">
      <ul className="flex flex-col gap-3">
        {connectCommands(vm, networking).map(({ title, code }) => (
          <li key={title}>
            <p className="mb-1 text-sm">{title}</p>
            <CodeBlock code={code} what={title} wrap />
          </li>
        ))}
      </ul>
    </Card>
  );
}
