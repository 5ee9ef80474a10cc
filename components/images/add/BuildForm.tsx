"use client";

import { type FormEvent, useState } from "react";
import type { Arch } from "../../../lib/domain/arch";
import { type BuildableImage, buildableImages } from "../../../lib/domain/imageRequest";
import { useHost } from "../../data/hooks";
import { Banner } from "../../ui/Banner";
import { Button } from "../../ui/Button";
import { Card } from "../../ui/Card";
import { Field } from "../../ui/Field";
import { RadioCards } from "../../ui/RadioCards";
import { Select } from "../../ui/Select";
import { OsMonogram } from "../OsMonogram";
import { useAddImage } from "./useAddImage";

const words: Record<BuildableImage, { title: string; description: string; archs: Arch[] }> = {
  "debian-12": {
    title: "Debian 12",
    description: "systemd, cloud-init, OpenSSH and the guest agent, boots by BIOS and UEFI. Takes a few minutes.",
    archs: ["x86_64"],
  },
  mini: {
    title: "Cumulus mini",
    description: "A small Linux that boots in seconds: kernel, BusyBox, dropbear. Takes less than a minute.",
    archs: ["x86_64", "aarch64"],
  },
};

/** Images that the host makes from its distribution's packages. */
export function BuildForm() {
  const { data: host } = useHost();
  const [name, setName] = useState<BuildableImage>("debian-12");
  const [wanted, setWanted] = useState<Arch>();
  const form = useAddImage("build", "arch");
  const { archs } = words[name];
  const arch = [wanted, host?.report?.arch].find((each) => each && archs.includes(each)) ?? archs[0] ?? "x86_64";
  const send = async (event: FormEvent) => {
    event.preventDefault();
    await form.add({ build: name, arch });
  };
  return (
    <Card
      title="Built on this host"
      description="From Debian's packages, whose signatures are checked: nothing of it is anybody's upload."
    >
      <form onSubmit={send} className="grid max-w-3xl gap-4">
        <RadioCards
          label="Image to build"
          value={name}
          onChange={setName}
          className="sm:grid-cols-2"
          options={buildableImages.map((value) => ({
            value,
            content: (
              <span className="flex items-start gap-3">
                <OsMonogram title={words[value].title} />
                <span className="min-w-0">
                  <span className="block font-medium">{words[value].title}</span>
                  <span className="block text-muted text-xs">{words[value].description}</span>
                </span>
              </span>
            ),
          }))}
        />
        {archs.length > 1 ? (
          <Field label="Architecture" error={form.fields.arch} className="max-w-60">
            {(control) => (
              <Select {...control} value={arch} onChange={(event) => setWanted(event.target.value as Arch)}>
                {archs.map((each) => (
                  <option key={each} value={each}>
                    {each}
                  </option>
                ))}
              </Select>
            )}
          </Field>
        ) : null}
        {form.error ? <Banner tone="bad">{form.error}</Banner> : null}
        <Button type="submit" variant="primary" loading={form.isPending} className="justify-self-start">
          Build {words[name].title}
        </Button>
      </form>
    </Card>
  );
}
