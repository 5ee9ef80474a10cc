"use client";

import { Button } from "../../ui/Button";
import { useFirewallPresets } from "../useNetworkData";
import { draftsOf, type RuleDraft } from "./firewallDraft";

/** Rules to begin with, in the place of those that are there. */
export function PresetButtons({ onChoose }: { onChoose: (preset: { name: string; rules: RuleDraft[] }) => void }) {
  const { data: presets = [] } = useFirewallPresets();
  return presets.map(({ name, rules }) => (
    <Button key={name} size="sm" onClick={() => onChoose({ name, rules: draftsOf(rules) })}>
      {name}
    </Button>
  ));
}
