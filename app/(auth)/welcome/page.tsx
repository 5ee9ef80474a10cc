import type { Metadata } from "next";
import { redirect } from "next/navigation";
import { WelcomeForm } from "../../../components/auth/WelcomeForm";
import { needsSetup } from "../../../lib/auth/account";
import { requireSession } from "../../../lib/auth/session";
import { services } from "../../../lib/services";

export const metadata: Metadata = { title: "Welcome" };

/** Where the one-time sign-in link leads: signed in already, and a password to be set when there is none. */
export default async function WelcomePage() {
  const { user } = await requireSession();
  if (!(await needsSetup(services().context.db))) redirect("/");
  return <WelcomeForm userName={user.name} />;
}
