import type { Metadata } from "next";
import { ImagePage } from "../../../../components/images/detail/ImagePage";

export const metadata: Metadata = { title: "Image" };

export default async function Image({ params }: { params: Promise<{ id: string }> }) {
  const { id } = await params;
  return <ImagePage id={/^[1-9]\d{0,9}$/.test(id) ? Number(id) : null} />;
}
