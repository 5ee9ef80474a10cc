"use client";

import type { Image } from "../../../lib/domain/image";
import { formatBytes } from "../../../lib/domain/units";
import { Button } from "../../ui/Button";
import { Card } from "../../ui/Card";
import { CodeBlock } from "../../ui/CodeBlock";
import { Facts } from "../../ui/Facts";
import { Kbd } from "../../ui/Kbd";
import { curlCommand } from "../shared/curl";
import { useOrigin } from "../shared/useOrigin";
import type { Shape } from "../size/sizeChoice";
import { type CreateForm, requestOf, withoutPasswords } from "./createForm";

interface SummaryProps {
  form: CreateForm;
  image: Image | undefined;
  /** Null while a custom value is none. */
  shape: Shape | null;
  isPending: boolean;
}

/** What will be made, the button that makes it, and the same as a curl call. */
export function Summary({ form, image, shape, isPending }: SummaryProps) {
  const origin = useOrigin();
  const request = requestOf(form);
  const keyCount = request.sshKeys?.length ?? 0;
  const code = curlCommand({ origin, method: "POST", path: "/api/vms", body: withoutPasswords(request) });
  return (
    <>
      <Card title="Summary">
        <Facts
          items={[
            { label: "Name", value: <span className="font-mono text-xs leading-5">{form.name || "none yet"}</span> },
            { label: "Image", value: image?.title ?? "none yet" },
            { label: "Size", value: form.size ?? "custom" },
            { label: "vCPUs", value: shape?.vcpus ?? "–" },
            { label: "Memory", value: shape ? formatBytes(shape.memoryBytes) : "–" },
            { label: "Disk", value: shape ? formatBytes(shape.diskBytes) : "–" },
            { label: "SSH keys", value: keyCount === 0 ? "none" : keyCount },
            ...(request.network ? [{ label: "Network", value: request.network }] : []),
            ...(request.firewalls ? [{ label: "Firewalls", value: request.firewalls.length }] : []),
            ...(request.firmware ? [{ label: "Firmware", value: request.firmware.toUpperCase() }] : []),
            ...(request.users ? [{ label: "Users", value: request.users.map(({ name }) => name).join(", ") }] : []),
            ...(request.packages ? [{ label: "Packages", value: request.packages.join(", ") }] : []),
            ...(request.timezone ? [{ label: "Time zone", value: request.timezone }] : []),
            ...(request.userData ? [{ label: "User data", value: userDataKind(request.userData) }] : []),
            ...(request.files ? [{ label: "Files", value: request.files.length }] : []),
          ]}
        />
        <Button type="submit" variant="primary" loading={isPending} className="mt-4 w-full">
          Create VM
        </Button>
        <p className="mt-2 text-center text-faint text-xs">
          <Kbd>Ctrl</Kbd> <Kbd>↵</Kbd>
        </p>
      </Card>
      <Card title="The same by curl" description="With an API token in CUMULUS_TOKEN.">
        <CodeBlock code={code} what="curl command" />
      </Card>
    </>
  );
}

function userDataKind(userData: string): string {
  return userData.startsWith("#!") ? "a script" : "cloud-config";
}
