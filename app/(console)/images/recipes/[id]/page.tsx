import type { Metadata } from "next";
import { notFound } from "next/navigation";
import { RecipePage } from "../../../../../components/images/recipes/RecipePage";
import { Page } from "../../../../../components/ui/Page";

export const metadata: Metadata = { title: "Recipe" };

export default async function Recipe({ params }: { params: Promise<{ id: string }> }) {
  const { id } = await params;
  if (!/^[1-9]\d{0,9}$/.test(id)) notFound();
  return (
    <Page>
      <RecipePage id={Number(id)} />
    </Page>
  );
}
