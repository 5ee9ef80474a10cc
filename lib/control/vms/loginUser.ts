import type { images } from "../../db/schema/images";
import type { FirstBoot } from "../../domain/firstBoot";
import type { VmRow } from "./view";

/** Who can log in with a VM's SSH keys: as the image says, unless the guest told of others alone. */
export function loginUserOf(
  { keyUsers }: Pick<VmRow, "keyUsers">,
  { loginUser }: Pick<typeof images.$inferSelect, "loginUser">,
): string {
  return keyUsers.includes(loginUser) ? loginUser : (keyUsers[0] ?? loginUser);
}

/** Of those who have keys, the users that were not asked for by name: the image's own among them. */
export function ownKeyUsers(keyUsers: readonly string[], { users }: Pick<FirstBoot, "users">): string[] {
  const asked = new Set(users.map(({ name }) => name));
  return keyUsers.filter((name) => !asked.has(name));
}
