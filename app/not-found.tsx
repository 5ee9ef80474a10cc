import { Compass } from "lucide-react";
import { ButtonLink } from "../components/ui/ButtonLink";
import { EmptyState } from "../components/ui/EmptyState";

export default function NotFound() {
  return (
    <main className="flex min-h-dvh items-center justify-center">
      <EmptyState
        icon={<Compass aria-hidden />}
        title="There is no such page"
        action={<ButtonLink href="/">To the list of VMs</ButtonLink>}
      >
        The address is wrong, or what it showed has been destroyed.
      </EmptyState>
    </main>
  );
}
