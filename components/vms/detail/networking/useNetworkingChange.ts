"use client";

import { useSWRConfig } from "swr";
import type { VmNetworking } from "../../../../lib/domain/vmNetworking";
import { keys } from "../../../data/keys";
import { useSubmit } from "../../../data/useSubmit";
import { notify } from "../../../ui/notify";

/** A change of a VM's networking: sent, read anew, confirmed. @param shownFields the fields that the form shows errors of */
export function useNetworkingChange(vmId: number, ...shownFields: string[]) {
  const { mutate } = useSWRConfig();
  const form = useSubmit(...shownFields);
  const change = (act: () => Promise<object>, done: string): Promise<boolean> =>
    form.submit(async () => {
      const answer = await act();
      const networking = await mutate<VmNetworking>(keys.networkingOfVm(vmId));
      const isPending = ("pending" in answer && answer.pending !== null) || networking?.pending;
      notify(isPending ? "Saved. The host has not put it into effect yet." : done);
    });
  return { form, change };
}
