import { access } from "node:fs/promises";
import { CumulusError } from "../domain/errors";

export async function assertImage(file: string): Promise<void> {
  await assertThere(file, "The image of this VM is not on this host: add it again.");
}

export async function assertIso(file: string): Promise<void> {
  await assertThere(file, "The ISO in this VM's CD-ROM drive is not on this host: eject it, or add it again.");
}

async function assertThere(file: string, complaint: string): Promise<void> {
  try {
    await access(file);
  } catch (error) {
    throw new CumulusError("not_found", complaint, { cause: error });
  }
}
