import type { Metadata } from "next";
import { SshKeyList } from "../../../../components/settings/SshKeyList";

export const metadata: Metadata = { title: "SSH keys" };

export default function SshKeysPage() {
  return <SshKeyList />;
}
