import { CumulusError, messageOf } from "./errors";

/** A restore failed, and the VM could not be given back what it had. That is kept; a snapshot that was taken of it must be, too. */
export class RestoreNotUndone extends CumulusError {
  constructor(vmFolder: string, cause: unknown) {
    const message = `The restore failed, and the VM could not be given back the disk that it had: ${messageOf(cause)} That disk is kept in ${vmFolder}, where disk.json calls it "replaced".`;
    super("internal", message, { cause });
    this.name = "RestoreNotUndone";
  }
}
