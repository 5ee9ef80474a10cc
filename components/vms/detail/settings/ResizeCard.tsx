"use client";

import { useState } from "react";
import { useSWRConfig } from "swr";
import { apiRequest } from "../../../../lib/api/client";
import { plainWords } from "../../../../lib/domain/plainWords";
import { formatBytes } from "../../../../lib/domain/units";
import { updateVmSchema, type Vm } from "../../../../lib/domain/vm";
import { whyNot } from "../../../../lib/domain/vmStatus";
import { useHost, useSizes } from "../../../data/hooks";
import { keys } from "../../../data/keys";
import { ReadingState } from "../../../data/ReadingState";
import { useSubmit } from "../../../data/useSubmit";
import { Banner } from "../../../ui/Banner";
import { Button } from "../../../ui/Button";
import { Card } from "../../../ui/Card";
import { notify } from "../../../ui/notify";
import { sizeWords } from "../../shared/vmWords";
import { whyShapeDoesNotFit } from "../../size/fits";
import { SizePicker } from "../../size/SizePicker";
import { customOf, type Shape, type SizeChoice, shapeOf, sizeRequestOf, vcpusProblem } from "../../size/sizeChoice";

/** Another size for a stopped VM. Memory and vCPUs go up and down, the disk only up. */
export function ResizeCard({ vm }: { vm: Vm }) {
  const { mutate } = useSWRConfig();
  const sizes = useSizes();
  const { data: host } = useHost();
  const [choice, setChoice] = useState<SizeChoice>({ size: vm.size.name, custom: customOf(vm.size) });
  const form = useSubmit("vcpus", "memory", "disk");

  const whyShapeIsOut = (shape: Shape) =>
    shape.diskBytes < vm.size.diskBytes
      ? `Its disk holds ${formatBytes(vm.size.diskBytes)} and can't shrink.`
      : whyShapeDoesNotFit(shape, undefined, host);
  const problems = { ...problemsOf(choice), ...form.fields };
  const resize = async (shape: Shape) => {
    const isDone = await form.submit(async () => {
      const changed = await apiRequest<Vm>("PATCH", keys.vm(vm.id), sizeRequestOf(choice));
      await mutate(keys.vm(vm.id), changed, { revalidate: false });
      await mutate(keys.vms);
    });
    if (isDone) notify(`${vm.name} now has ${sizeWords(shape)}.`);
  };

  return (
    <Card
      title="Size"
      description={`It has ${sizeWords(vm.size)}. The guest sees more disk at its next start; it only grows.`}
    >
      <ReadingState reading={sizes} what="sizes">
        {(all) => {
          const shape = shapeOf(choice, all);
          const reason =
            whyNot("resize", vm.status) ??
            (shape === null ? "Fill in the values first." : (whyShapeIsOut(shape) ?? sameReason(shape, vm)));
          return (
            <form
              onSubmit={(event) => {
                event.preventDefault();
                if (shape && reason === undefined) void resize(shape);
              }}
            >
              <SizePicker
                sizes={all}
                value={choice}
                onChange={(next) => {
                  setChoice(next);
                  form.reset();
                }}
                whyNot={whyShapeIsOut}
                problems={problems}
              />
              {form.error ? (
                <Banner tone="bad" className="mt-3">
                  {form.error}
                </Banner>
              ) : null}
              <div className="mt-3 flex flex-wrap items-center gap-3">
                <Button type="submit" loading={form.isPending} disabledReason={reason}>
                  Resize
                </Button>
                {reason ? <p className="text-muted text-sm">{reason}</p> : null}
              </div>
            </form>
          );
        }}
      </ReadingState>
    </Card>
  );
}

function sameReason(shape: Shape, { size }: Vm): string | undefined {
  const isSame =
    shape.vcpus === size.vcpus && shape.memoryBytes === size.memoryBytes && shape.diskBytes === size.diskBytes;
  return isSame ? "This is its size already." : undefined;
}

function problemsOf(choice: SizeChoice): Record<string, string> {
  const issues = updateVmSchema.safeParse(sizeRequestOf(choice), { error: plainWords }).error?.issues ?? [];
  const problems = Object.fromEntries(issues.map((issue) => [issue.path.join("."), issue.message]));
  return problems.vcpus ? { ...problems, vcpus: vcpusProblem } : problems;
}
