"use client";

import { type FormEvent, useState } from "react";
import useSWR from "swr";
import { ApiProblem, apiRequest } from "../../lib/api/client";
import { useSubmit } from "../data/useSubmit";
import { Banner } from "../ui/Banner";
import { Button } from "../ui/Button";
import { Field } from "../ui/Field";
import { Input } from "../ui/Input";
import { PasswordField } from "./PasswordField";

interface Health {
  needsSetup: boolean;
}

interface SignInFormProps {
  /** Where to go afterwards: a path of this site. */
  next: string;
  /** A sign-in link led here because it no longer works. */
  isLinkSpent: boolean;
}

export function SignInForm({ next, isLinkSpent }: SignInFormProps) {
  const { data: health } = useSWR<Health, ApiProblem>("/api/health", (path: string) => apiRequest("GET", path), {
    revalidateOnFocus: false,
  });
  const [username, setUsername] = useState("admin");
  const [password, setPassword] = useState("");
  const { isPending, error, submit } = useSubmit();

  const signIn = async (event: FormEvent) => {
    event.preventDefault();
    await submit(async () => {
      await apiRequest("POST", "/api/auth/sign-in/username", { username, password }).catch(explain);
      // A full load: nothing of the page before is kept.
      window.location.assign(next);
    });
  };

  return (
    <>
      <h1 className="mb-4 font-medium text-xl tracking-tight">Sign in</h1>
      {isLinkSpent ? (
        <Banner tone="warn" title="That sign-in link no longer works" className="mb-4">
          A link lets in once, and only for a while. Print a new one on the machine that runs Cumulus:{" "}
          <code className="font-mono">npm run sign-in-link</code>
        </Banner>
      ) : null}
      {health?.needsSetup && !isLinkSpent ? (
        <Banner tone="info" title="No password has been set yet" className="mb-4">
          Open the sign-in link that <code className="font-mono">npm run up</code> printed, or print a new one on the
          machine that runs Cumulus: <code className="font-mono">npm run sign-in-link</code>
        </Banner>
      ) : null}
      <form onSubmit={signIn} className="flex flex-col gap-4">
        <Field label="User name">
          {(control) => (
            <Input
              {...control}
              autoComplete="username"
              autoCapitalize="none"
              spellCheck={false}
              required
              value={username}
              onChange={(event) => setUsername(event.target.value)}
            />
          )}
        </Field>
        <PasswordField label="Password" autoComplete="current-password" value={password} onChange={setPassword} />
        {error ? <Banner tone="bad">{error}</Banner> : null}
        <Button type="submit" variant="primary" loading={isPending}>
          Sign in
        </Button>
      </form>
      <p className="mt-6 text-muted text-xs">
        Lost the password? <code className="font-mono">npm run sign-in-link</code> on the machine that runs Cumulus
        prints a link that lets you in once.
      </p>
    </>
  );
}

/** Says the two refusals that people meet in words that help. */
function explain(error: unknown): never {
  if (error instanceof ApiProblem && error.status === 401) {
    throw new ApiProblem(401, error.code, "The user name or the password is wrong.");
  }
  if (error instanceof ApiProblem && error.status === 429) {
    throw new ApiProblem(429, error.code, "Too many attempts. Wait a minute, then try again.");
  }
  throw error;
}
