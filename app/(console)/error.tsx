"use client";

import { ErrorPage } from "../../components/frame/ErrorPage";

export default function ConsoleError({ error, retry }: { error: unknown; retry: () => void }) {
  return <ErrorPage error={error} retry={retry} />;
}
