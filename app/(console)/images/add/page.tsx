import type { Metadata } from "next";
import { Suspense } from "react";
import { AddImagePage } from "../../../../components/images/add/AddImagePage";

export const metadata: Metadata = { title: "Add an image" };

export default function AddImage() {
  return (
    <Suspense>
      <AddImagePage />
    </Suspense>
  );
}
