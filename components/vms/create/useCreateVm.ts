"use client";

import { useRouter } from "next/navigation";
import { useState } from "react";
import { useSWRConfig } from "swr";
import { apiRequest } from "../../../lib/api/client";
import type { Vm } from "../../../lib/domain/vm";
import { keys } from "../../data/keys";
import { useRequestKey } from "../../data/useRequestKey";
import { useSubmit } from "../../data/useSubmit";
import type { CreateRequest } from "./createForm";

/** Sends the create form; when the VM is accepted, goes to its page. @param shownFields fields that the form shows problems of */
export function useCreateVm(shownFields: string[]) {
  const router = useRouter();
  const { mutate } = useSWRConfig();
  const form = useSubmit(...shownFields);
  const [isLeaving, setLeaving] = useState(false);
  const keyOf = useRequestKey();

  const create = (request: CreateRequest) =>
    form.submit(async () => {
      const headers = { "idempotency-key": keyOf(request) };
      const vm = await apiRequest<Vm>("POST", keys.vms, request, { headers });
      setLeaving(true);
      await mutate(keys.vm(vm.id), vm, { revalidate: false });
      void mutate(keys.vms);
      router.push(`/vms/${vm.id}`);
    });

  return { create, isPending: form.isPending || isLeaving, error: form.error, fields: form.fields, reset: form.reset };
}
