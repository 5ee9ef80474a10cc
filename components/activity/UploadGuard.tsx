"use client";

import { LeaveGuard } from "../ui/LeaveGuard";

interface UploadGuardProps {
  /** Whether a file is on its way from this page. */
  isOn: boolean;
}

/** Asks before a page is left from which a file is being sent. */
export function UploadGuard({ isOn }: UploadGuardProps) {
  return (
    <LeaveGuard isOn={isOn} title="End the upload?" confirmLabel="End it and leave">
      The file is sent by this page: when you leave, nothing of it stays on the host.
    </LeaveGuard>
  );
}
