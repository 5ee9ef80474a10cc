import { stringify } from "yaml";
import * as z from "zod";
import { binaryWords } from "./fileContent";
import { type FirstBoot, type FirstBootInput, firstBootInputSchema } from "./firstBoot";
import { imageOsSchema } from "./image";
import { cloudConfigOf, userShellOf } from "./seed";
import { judgeUserData } from "./userData";
import { type GuestFile, guestFileSchema } from "./vm";

/** `POST /api/user-data/check`: the parts of `POST /api/vms` that the first boot is made of. */
export const checkUserDataSchema = z.strictObject({
  userData: z
    .string()
    .max(128 * 1024)
    .default(""),
  /** The image's login user. */
  loginUser: z.string().max(32).default("root"),
  osFamily: imageOsSchema.shape.family.optional().meta({ description: "The image's `os.family`, such as `alpine`." }),
  files: z.array(guestFileSchema).max(64).default([]),
  ...firstBootInputSchema.shape,
});
type CheckUserData = z.infer<typeof checkUserDataSchema>;

const remarksSchema = z.array(z.object({ line: z.number().int().nullable(), message: z.string() }));

export const userDataCheckSchema = z.object({
  valid: z
    .boolean()
    .meta({ description: "Whether a VM is made with it. cloud-init alone can tell whether all of it works." }),
  problems: remarksSchema.meta({ description: "Why no VM is made with it." }),
  warnings: remarksSchema.meta({ description: "Keys that are none of cloud-init's own: misspelt, or a vendor's." }),
  /** What the VM gets. Keys and passwords are not in it, nor the bytes of binary files. */
  preview: z.string(),
});
export type UserDataCheck = z.infer<typeof userDataCheckSchema>;

/** What is wrong with user data, and what a VM gets of it together with Cumulus' own part. */
export function checkUserData({ userData, loginUser, osFamily, files, ...input }: CheckUserData): UserDataCheck {
  const isEmpty = userData.trim() === "";
  const { problems, warnings } = isEmpty ? { problems: [], warnings: [] } : judgeUserData(userData);
  if (problems.length > 0) return { valid: false, problems, warnings, preview: "" };
  const config = cloudConfigOf({
    hostname: "NAME",
    loginUser,
    publicKeys: ["YOUR SSH KEYS"],
    files: files.map(shownFile),
    userShell: userShellOf(osFamily),
    firstBoot: shownFirstBoot(input),
    userData: isEmpty ? null : userData,
  });
  return { valid: true, problems, warnings, preview: `#cloud-config\n${stringify(config)}` };
}

function shownFile(file: GuestFile): GuestFile {
  return file.encoding === "base64" ? { ...file, content: `(${binaryWords(file)})` } : file;
}

function shownFirstBoot({ password, users = [], timezone, locale, packages = [] }: FirstBootInput): FirstBoot {
  const hashOf = (text: string | undefined) => (text === undefined ? null : "ITS HASH");
  return {
    passwordHash: hashOf(password),
    users: users.map(({ name, sudo, sshKeys, password: own }) => ({
      name,
      sudo,
      publicKeys: sshKeys,
      passwordHash: hashOf(own),
    })),
    timezone: timezone ?? null,
    locale: locale ?? null,
    packages,
  };
}
