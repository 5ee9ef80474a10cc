import { CumulusError } from "../../domain/errors";

/** Why a file is no image: `why` completes the sentence, and says what helps where something does. */
export function refusal(why: string, cause?: unknown): CumulusError {
  return new CumulusError("bad_request", `This file can't be used as an image: ${why}.`, { cause });
}
