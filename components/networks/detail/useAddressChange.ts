"use client";

import { useSWRConfig } from "swr";
import { keys } from "../../data/keys";
import { useSubmit } from "../../data/useSubmit";
import { notify } from "../../ui/notify";

/** A change of an address of a network: sent, read again, and said to be done. */
export function useAddressChange(networkId: number) {
  const { mutate } = useSWRConfig();
  const form = useSubmit("ipv4", "note", "mac");
  const change = (act: () => Promise<unknown>, done: string) =>
    form.submit(async () => {
      await act();
      await Promise.all([mutate(keys.networkAddresses(networkId)), mutate(keys.network(networkId))]);
      notify(done);
    });
  return { form, change };
}
