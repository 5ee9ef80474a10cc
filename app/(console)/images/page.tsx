import type { Metadata } from "next";
import { ImagesPage } from "../../../components/images/ImagesPage";
import { Page } from "../../../components/ui/Page";

export const metadata: Metadata = { title: "Images" };

export default function Images() {
  return (
    <Page wide>
      <ImagesPage />
    </Page>
  );
}
