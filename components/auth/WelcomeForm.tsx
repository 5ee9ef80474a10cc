"use client";

import { type FormEvent, useState } from "react";
import { apiRequest } from "../../lib/api/client";
import { useSubmit } from "../data/useSubmit";
import { Banner } from "../ui/Banner";
import { Button } from "../ui/Button";
import { TextLink } from "../ui/TextLink";
import { PasswordField } from "./PasswordField";

export function WelcomeForm({ userName }: { userName: string }) {
  const [newPassword, setNewPassword] = useState("");
  const { isPending, error, fields, submit } = useSubmit("newPassword");

  const save = async (event: FormEvent) => {
    event.preventDefault();
    await submit(async () => {
      await apiRequest("POST", "/api/account/password", { newPassword });
      window.location.assign("/");
    });
  };

  return (
    <>
      <h1 className="font-medium text-xl tracking-tight">You are in</h1>
      <p className="mt-1 mb-4 text-muted text-sm">
        The link worked once. Set a password for <strong className="font-medium text-ink">{userName}</strong> to sign in
        from now on.
      </p>
      <form onSubmit={save} className="flex flex-col gap-4">
        <input type="text" autoComplete="username" value={userName} readOnly hidden />
        <PasswordField
          label="Password"
          autoComplete="new-password"
          minLength={10}
          hint="At least 10 characters."
          value={newPassword}
          onChange={setNewPassword}
          error={fields.newPassword}
        />
        {error ? <Banner tone="bad">{error}</Banner> : null}
        <Button type="submit" variant="primary" loading={isPending}>
          Set password and go on
        </Button>
      </form>
      <p className="mt-6 text-muted text-xs">
        <TextLink href="/">Not now</TextLink>. Without a password, the next sign-in needs a new link.
      </p>
    </>
  );
}
