"use client";

import { useRouter } from "next/navigation";
import { type FormEvent, useState } from "react";
import { useSWRConfig } from "swr";
import { apiRequest } from "../../../../lib/api/client";
import { type Vm, vmNameSchema } from "../../../../lib/domain/vm";
import { keys } from "../../../data/keys";
import { useSubmit } from "../../../data/useSubmit";
import { Banner } from "../../../ui/Banner";
import { Button } from "../../../ui/Button";
import { Card } from "../../../ui/Card";
import { Field } from "../../../ui/Field";
import { Input } from "../../../ui/Input";
import { notify } from "../../../ui/notify";

export function RenameCard({ vm }: { vm: Vm }) {
  const router = useRouter();
  const { mutate } = useSWRConfig();
  const [name, setName] = useState(vm.name);
  const form = useSubmit("name");
  const problem = vmNameSchema.safeParse(name).error?.issues[0]?.message;
  const rename = async (event: FormEvent) => {
    event.preventDefault();
    if (problem || name === vm.name) return;
    const isDone = await form.submit(async () => {
      await mutate(keys.vm(vm.id), await apiRequest<Vm>("PATCH", keys.vm(vm.id), { name }), { revalidate: false });
      await mutate(keys.vms);
    });
    if (!isDone) return;
    // The page's title is the server's.
    router.refresh();
    notify(`${vm.name} is now called ${name}.`);
  };
  return (
    <Card title="Name" description="What Cumulus calls it. The guest keeps the host name that its first boot gave it.">
      <form onSubmit={rename} className="flex max-w-md flex-col gap-3">
        {form.error ? <Banner tone="bad">{form.error}</Banner> : null}
        <Field label="Name" error={problem ?? form.fields.name}>
          {(control) => (
            <Input
              {...control}
              mono
              value={name}
              autoComplete="off"
              spellCheck={false}
              onChange={(event) => {
                setName(event.target.value);
                form.reset();
              }}
            />
          )}
        </Field>
        <Button
          type="submit"
          className="self-start"
          loading={form.isPending}
          disabledReason={problem ?? (name === vm.name ? "This is its name already." : undefined)}
        >
          Rename
        </Button>
      </form>
    </Card>
  );
}
