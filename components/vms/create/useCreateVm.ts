"use client";

import { useRouter } from "next/navigation";
import { useRef, useState } from "react";
import { useSWRConfig } from "swr";
import { apiRequest } from "../../../lib/api/client";
import type { Vm } from "../../../lib/domain/vm";
import { keys } from "../../data/keys";
import { useSubmit } from "../../data/useSubmit";
import type { CreateRequest } from "./createForm";
import { newIdempotencyKey } from "./idempotencyKey";

/** Sends the create form; when the VM is accepted, goes to its page. @param shownFields fields that the form shows problems of */
export function useCreateVm(shownFields: string[]) {
  const router = useRouter();
  const { mutate } = useSWRConfig();
  const form = useSubmit(...shownFields);
  const [isLeaving, setLeaving] = useState(false);
  // The same request keeps its key: sent again after a lost answer, it makes no second VM.
  const sent = useRef({ text: "", key: "" });

  const create = (request: CreateRequest) =>
    form.submit(async () => {
      const text = JSON.stringify(request);
      if (sent.current.text !== text) sent.current = { text, key: newIdempotencyKey() };
      const headers = { "idempotency-key": sent.current.key };
      const vm = await apiRequest<Vm>("POST", keys.vms, request, { headers });
      setLeaving(true);
      await mutate(keys.vm(vm.id), vm, { revalidate: false });
      void mutate(keys.vms);
      router.push(`/vms/${vm.id}`);
    });

  return { create, isPending: form.isPending || isLeaving, error: form.error, fields: form.fields, reset: form.reset };
}
