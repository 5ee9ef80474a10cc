import type { Metadata } from "next";
import { ActivityPage } from "../../../components/activity/ActivityPage";
import { Page } from "../../../components/ui/Page";

export const metadata: Metadata = { title: "Activity" };

export default function Activity() {
  return (
    <Page wide>
      <ActivityPage />
    </Page>
  );
}
