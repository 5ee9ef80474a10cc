import { ServerOff } from "lucide-react";
import { ButtonLink } from "../../ui/ButtonLink";
import { EmptyState } from "../../ui/EmptyState";
import { Page } from "../../ui/Page";

/** What stands where a VM is not, or no longer. */
export function NoSuchVm() {
  return (
    <Page>
      <h1 className="sr-only">VM not found</h1>
      <EmptyState
        icon={<ServerOff aria-hidden />}
        title="There is no such VM"
        action={<ButtonLink href="/">To the list of VMs</ButtonLink>}
      >
        The address is wrong, or the VM has been destroyed. The activity page still tells what happened to it.
      </EmptyState>
    </Page>
  );
}
