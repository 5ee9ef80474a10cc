import type { Metadata } from "next";
import { localPath } from "../../../components/auth/localPath";
import { SignInForm } from "../../../components/auth/SignInForm";

export const metadata: Metadata = { title: "Sign in" };

export default async function SignInPage({
  searchParams,
}: {
  searchParams: Promise<Record<string, string | string[] | undefined>>;
}) {
  const { next, error } = await searchParams;
  return <SignInForm next={localPath(next)} isLinkSpent={error !== undefined} />;
}
