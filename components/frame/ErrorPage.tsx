"use client";

import { TriangleAlert } from "lucide-react";
import { useEffect } from "react";
import { messageOf } from "../../lib/domain/errors";
import { Button } from "../ui/Button";
import { EmptyState } from "../ui/EmptyState";

/** What stands in place of a page that could not be drawn. */
export function ErrorPage({ error, retry }: { error: unknown; retry: () => void }) {
  useEffect(() => console.error(error), [error]);
  // An error of the server comes with a digest in place of its text; the log has both.
  const digest = error instanceof Error && "digest" in error ? String(error.digest) : undefined;
  return (
    <EmptyState
      icon={<TriangleAlert aria-hidden />}
      title="This page could not be shown"
      action={
        <Button variant="primary" onClick={retry}>
          Try again
        </Button>
      }
    >
      <p className="wrap-anywhere">
        {digest === undefined ? messageOf(error) : `The server could not make it. Its log tells why, under ${digest}.`}
      </p>
      <p>VMs are not touched by this.</p>
    </EmptyState>
  );
}
