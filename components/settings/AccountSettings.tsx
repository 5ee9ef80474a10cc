"use client";

import { LogOut } from "lucide-react";
import { type FormEvent, useState } from "react";
import { apiRequest } from "../../lib/api/client";
import { PasswordField } from "../auth/PasswordField";
import { useSubmit } from "../data/useSubmit";
import { signOut } from "../frame/signOut";
import { Banner } from "../ui/Banner";
import { Button } from "../ui/Button";
import { Card } from "../ui/Card";
import { notify } from "../ui/notify";

export function AccountSettings({ userName }: { userName: string }) {
  return (
    <div className="flex flex-col gap-4">
      <Card title="Password" description={`Of the user ${userName}.`}>
        <PasswordForm userName={userName} />
      </Card>
      <Card title="This browser" description="Signing out leaves VMs running and API tokens valid.">
        <SignOut />
      </Card>
    </div>
  );
}

function PasswordForm({ userName }: { userName: string }) {
  const [currentPassword, setCurrentPassword] = useState("");
  const [newPassword, setNewPassword] = useState("");
  const { isPending, error, fields, submit } = useSubmit("currentPassword", "newPassword");

  const change = async (event: FormEvent) => {
    event.preventDefault();
    const isDone = await submit(() => apiRequest("POST", "/api/account/password", { currentPassword, newPassword }));
    if (!isDone) return;
    setCurrentPassword("");
    setNewPassword("");
    notify("Password changed.");
  };

  return (
    <form onSubmit={change} className="flex max-w-sm flex-col gap-4">
      <input type="text" autoComplete="username" value={userName} readOnly hidden />
      <PasswordField
        label="Current password"
        autoComplete="current-password"
        value={currentPassword}
        onChange={setCurrentPassword}
        error={fields.currentPassword}
      />
      <PasswordField
        label="New password"
        autoComplete="new-password"
        minLength={10}
        hint="At least 10 characters."
        value={newPassword}
        onChange={setNewPassword}
        error={fields.newPassword}
      />
      {error ? <Banner tone="bad">{error}</Banner> : null}
      <div>
        <Button type="submit" variant="primary" loading={isPending}>
          Change password
        </Button>
      </div>
    </form>
  );
}

function SignOut() {
  const { isPending, error, submit } = useSubmit();
  return (
    <div className="flex flex-col items-start gap-3">
      {error ? <Banner tone="bad">{error}</Banner> : null}
      <Button icon={<LogOut aria-hidden />} loading={isPending} onClick={() => void submit(signOut)}>
        Sign out
      </Button>
    </div>
  );
}
