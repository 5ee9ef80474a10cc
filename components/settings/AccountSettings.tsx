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

interface AccountSettingsProps {
  userName: string;
  /** Not so when only a sign-in link was used until now. */
  hasPassword: boolean;
}

export function AccountSettings({ userName, hasPassword }: AccountSettingsProps) {
  return (
    <div className="flex flex-col gap-4">
      <Card
        title="Password"
        description={
          hasPassword ? `Of the user ${userName}.` : `The user ${userName} has none yet, and signs in by link only.`
        }
      >
        <PasswordForm userName={userName} hadPassword={hasPassword} />
      </Card>
      <Card title="This browser" description="Signing out leaves VMs running and API tokens valid.">
        <SignOut />
      </Card>
    </div>
  );
}

function PasswordForm({ userName, hadPassword }: { userName: string; hadPassword: boolean }) {
  const [hasPassword, setHasPassword] = useState(hadPassword);
  const [currentPassword, setCurrentPassword] = useState("");
  const [newPassword, setNewPassword] = useState("");
  const { isPending, error, fields, submit } = useSubmit("currentPassword", "newPassword");

  const change = async (event: FormEvent) => {
    event.preventDefault();
    const isDone = await submit(() =>
      apiRequest("POST", "/api/account/password", hasPassword ? { currentPassword, newPassword } : { newPassword }),
    );
    if (!isDone) return;
    setCurrentPassword("");
    setNewPassword("");
    notify(hasPassword ? "Password changed." : "Password set.");
    setHasPassword(true);
  };

  return (
    <form onSubmit={change} className="flex max-w-sm flex-col gap-4">
      <input type="text" autoComplete="username" value={userName} readOnly hidden />
      {hasPassword ? (
        <PasswordField
          label="Current password"
          autoComplete="current-password"
          value={currentPassword}
          onChange={setCurrentPassword}
          error={fields.currentPassword}
        />
      ) : null}
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
          {hasPassword ? "Change password" : "Set password"}
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
