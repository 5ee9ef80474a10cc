"use client";

import { useRouter } from "next/navigation";
import { type FormEvent, useEffect, useEffectEvent, useState } from "react";
import { vmNameSchema } from "../../../lib/domain/vm";
import { isUnderWay, kindWords } from "../../activity/operationWords";
import { TransferProgress } from "../../activity/TransferProgress";
import { UploadGuard } from "../../activity/UploadGuard";
import { useOperation, useVms } from "../../data/hooks";
import { useFileUpload } from "../../data/useFileUpload";
import { FailureBanner } from "../../images/add/FailureBanner";
import { TaskProgress } from "../../images/tasks/TaskProgress";
import { CancelButton } from "../../images/tasks/TaskRow";
import { NewNetworkField } from "../../networks/NewNetworkField";
import { Banner } from "../../ui/Banner";
import { Button } from "../../ui/Button";
import { DropZone } from "../../ui/DropZone";
import { NameField } from "../create/NameField";
import { nameFromArchive } from "./nameFromArchive";

/** Takes an archive from the reader's own disk, and leads to the VM that comes of it. */
export function ImportForm() {
  const router = useRouter();
  const { data: vms = [] } = useVms();
  const [file, setFile] = useState<File>();
  const [name, setName] = useState("");
  const [network, setNetwork] = useState("default");
  const [wasSent, setSent] = useState(false);
  const [operationId, setOperationId] = useState<number | null>(null);
  const form = useFileUpload("name", "network");
  const { data: operation } = useOperation(operationId);
  const isWorking = operationId !== null && (operation === undefined || isUnderWay(operation));

  const vmId = operation?.status === "done" ? operation.result?.vmId : undefined;
  const openVm = useEffectEvent((id: number) => router.push(`/vms/${id}`));
  useEffect(() => {
    if (typeof vmId === "number") openVm(vmId);
  }, [vmId]);

  const isBusy = form.isPending || isWorking;
  const nameProblem = name === "" ? undefined : vmNameSchema.safeParse(name).error?.issues[0]?.message;
  const takenNames = vms.map((vm) => vm.name);
  const fileProblem = wasSent && !file ? "Choose a file." : undefined;
  const changed = () => {
    form.reset();
    setOperationId(null);
  };
  const take = (chosen: File) => {
    setFile(chosen);
    setName((before) => before || nameFromArchive(chosen.name));
    changed();
  };
  const send = async (event: FormEvent) => {
    event.preventDefault();
    setSent(true);
    if (!file || nameProblem || takenNames.includes(name) || isBusy) return;
    setOperationId(null);
    const query = new URLSearchParams({ ...(name && { name }), network });
    const sent = await form.upload(`POST /api/vms/import?${query}`, file);
    if (sent) setOperationId(sent.id);
  };
  return (
    <form onSubmit={send} noValidate className="grid gap-4">
      <DropZone
        label="Archive of a VM"
        prompt="Drop a VM's archive here, or choose one"
        hint="The .tar of an export with “Whole VM”"
        file={file}
        onFile={take}
        problem={fileProblem}
        disabled={isBusy}
      />
      <NameField
        value={name}
        onChange={(changedName) => {
          setName(changedName);
          changed();
        }}
        hint="Small letters, digits and dashes. Left empty: as the archive says."
        problem={nameProblem ?? form.fields.name}
        takenNames={takenNames}
        disabledReason={isBusy ? "A VM of this name is being imported." : undefined}
      />
      <NewNetworkField
        value={network}
        onChange={(changedNetwork) => {
          setNetwork(changedNetwork);
          changed();
        }}
        problem={form.fields.network}
        disabled={isBusy}
      />
      {form.error ? <Banner tone="bad">{form.error}</Banner> : null}
      <FailureBanner error={operation?.status === "failed" ? operation.error : null} />
      {operation?.status === "cancelled" ? <Banner tone="neutral">Cancelled: nothing of it is left.</Banner> : null}
      {form.transfer ? (
        <TransferProgress label={`Upload of ${file?.name ?? "the file"}`} transfer={form.transfer} />
      ) : null}
      {operation && isWorking ? <TaskProgress operation={operation} /> : null}
      <UploadGuard isOn={form.transfer !== undefined} />
      <div className="flex gap-2">
        <Button type="submit" variant="primary" loading={isBusy}>
          Import VM
        </Button>
        {form.transfer ? <Button onClick={form.cancel}>Cancel upload</Button> : null}
        {operation && isWorking ? (
          <CancelButton operation={operation} name={`${kindWords.import}: ${operation.subject ?? ""}`} size="md" />
        ) : null}
      </div>
    </form>
  );
}
