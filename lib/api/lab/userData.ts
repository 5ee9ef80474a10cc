import { labAccessFile } from "../../domain/ownIdentity";

/** What lab mode gives its VMs, and nobody else gets: root with this password, on the console and by SSH. */
const labPassword = "123456";

const sshdConfig = "PermitRootLogin yes\nPasswordAuthentication yes\n";

/** cloud-config by which root logs in with the key, if there is one, and in lab mode with the lab's password. JSON is YAML. Pure. */
export function rootUserData(sshKey: string | null, isLab: boolean): string {
  const password = {
    ssh_pwauth: true,
    chpasswd: { expire: false, users: [{ name: "root", password: labPassword, type: "text" }] },
  };
  const files = [
    ...(sshKey ? [{ path: "/root/.ssh/authorized_keys", permissions: "0600", content: `${sshKey}\n` }] : []),
    ...(isLab ? [{ path: labAccessFile, permissions: "0644", content: sshdConfig }] : []),
  ];
  const config = { disable_root: false, ...(isLab && password), ...(files.length > 0 && { write_files: files }) };
  return `#cloud-config\n${JSON.stringify(config)}\n`;
}
