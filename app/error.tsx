"use client";

import { ErrorPage } from "../components/frame/ErrorPage";

export default function RootError({ error, retry }: { error: unknown; retry: () => void }) {
  return (
    <main className="flex min-h-dvh items-center justify-center">
      <ErrorPage error={error} retry={retry} />
    </main>
  );
}
