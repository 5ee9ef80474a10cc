"use client";

import { useRouter, useSearchParams } from "next/navigation";
import type { ComponentType } from "react";
import type { Operation } from "../../../lib/domain/operation";
import { leaveBy } from "../../ui/leaving";
import { Page } from "../../ui/Page";
import { PageHeader } from "../../ui/PageHeader";
import { SegmentedControl } from "../../ui/SegmentedControl";
import { ImageTasks } from "../tasks/ImageTasks";
import { BuildForm } from "./BuildForm";
import { CaptureForm } from "./CaptureForm";
import { Catalogue } from "./Catalogue";
import { RecipeForm } from "./RecipeForm";
import { UploadForm } from "./UploadForm";
import { UrlForm } from "./UrlForm";

interface Way {
  label: string;
  Form: ComponentType;
  /** The work that it begins, shown above it; the catalogue shows its own in its rows. */
  kinds: Operation["kind"][];
}

const ways = {
  catalogue: { label: "Catalogue", Form: Catalogue, kinds: [] },
  url: { label: "Address", Form: UrlForm, kinds: ["image-download"] },
  upload: { label: "Upload", Form: UploadForm, kinds: ["image-upload"] },
  build: { label: "Build here", Form: BuildForm, kinds: ["image-build"] },
  recipe: { label: "Recipe", Form: RecipeForm, kinds: ["image-customize"] },
  vm: { label: "VM or snapshot", Form: CaptureForm, kinds: ["image-capture"] },
} satisfies Record<string, Way>;
type WayName = keyof typeof ways;

/** All the ways to an image. `?from=…` opens one. */
export function AddImagePage() {
  const router = useRouter();
  const search = useSearchParams();
  const wanted = search.get("from") ?? "";
  const way: WayName = Object.hasOwn(ways, wanted) ? (wanted as WayName) : "catalogue";
  const { Form, kinds } = ways[way];
  /** What was chosen in another way stays. */
  const open = (next: WayName) => {
    const address = new URLSearchParams(search);
    address.set("from", next);
    leaveBy(() => router.replace(`/images/add?${address}`, { scroll: false }));
  };
  return (
    <Page>
      <PageHeader title="Add an image" description="It is here whole, checked, or not at all." />
      <div className="mb-4">
        <SegmentedControl
          label="Where the image comes from"
          value={way}
          onChange={open}
          options={(Object.keys(ways) as WayName[]).map((value) => ({ value, label: ways[value].label }))}
        />
      </div>
      {kinds.length > 0 ? <ImageTasks kinds={kinds} showsEnded opensLog={way === "build"} /> : null}
      <Form />
    </Page>
  );
}
