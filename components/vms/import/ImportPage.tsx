import { Card } from "../../ui/Card";
import { Page } from "../../ui/Page";
import { PageHeader } from "../../ui/PageHeader";
import { ImportForm } from "./ImportForm";

/** The page that makes a VM of an archive. */
export function ImportPage() {
  return (
    <Page>
      <PageHeader title="Import a VM" />
      <Card
        title="From an archive"
        description="A VM comes back with its disk, size, firmware, UEFI variables and SSH keys, on this host or another one. It gets an address, MAC and machine id of its own, and starts."
        className="max-w-3xl"
      >
        <ImportForm />
      </Card>
    </Page>
  );
}
