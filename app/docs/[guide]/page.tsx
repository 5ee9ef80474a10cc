import type { Metadata } from "next";
import { notFound } from "next/navigation";
import { DocsFrame } from "../../../components/docs/DocsFrame";
import { GuideContents } from "../../../components/docs/GuideContents";
import { GuideText } from "../../../components/docs/GuideText";
import { readGuides } from "../../../lib/guides";

interface GuideProps {
  params: Promise<{ guide: string }>;
}

/** Guides are read when they are asked for: a build need not know them. */
export const dynamic = "force-dynamic";

export async function generateMetadata({ params }: GuideProps): Promise<Metadata> {
  const { guide: name } = await params;
  return { title: readGuides().find((guide) => guide.name === name)?.title ?? "Guide" };
}

/** One of docs/*.md. Open to all, as the API's description is. */
export default async function Guide({ params }: GuideProps) {
  const { guide: name } = await params;
  const guides = readGuides();
  const guide = guides.find((one) => one.name === name);
  if (!guide) notFound();
  return (
    <DocsFrame title="Guide" guides={guides} current={guide.name} nav={<GuideContents source={guide.source} />}>
      <GuideText source={guide.source} guides={guides.map((one) => one.name)} />
    </DocsFrame>
  );
}
