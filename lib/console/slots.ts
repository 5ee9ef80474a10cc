import type { Socket } from "node:net";
import { CumulusError } from "../domain/errors";
import type { ConsoleLimits } from "./limits";

/** Counts the consoles that are open, so that neither one user nor all together can open without end. */
export class ConsoleSlots {
  private readonly openByUser = new Map<string, number>();
  private open = 0;

  constructor(private readonly limits: Pick<ConsoleLimits, "maxPerUser" | "maxOpen">) {}

  /**
   * Takes a slot until the socket closes: before the console is open, so that racing requests can't pass the limits.
   * Throws `rate_limited` when there is none left.
   */
  take(userName: string, socket: Socket): void {
    const ofUser = this.openByUser.get(userName) ?? 0;
    const isUserFull = ofUser >= this.limits.maxPerUser;
    if (isUserFull || this.open >= this.limits.maxOpen) {
      const message = `${isUserFull ? "You have" : "There are"} too many consoles open. Close some and try again.`;
      throw new CumulusError("rate_limited", message, { retryAfterSeconds: 5 });
    }
    this.openByUser.set(userName, ofUser + 1);
    this.open += 1;
    socket.once("close", () => this.release(userName));
  }

  private release(userName: string): void {
    const left = (this.openByUser.get(userName) ?? 0) - 1;
    if (left > 0) this.openByUser.set(userName, left);
    else this.openByUser.delete(userName);
    this.open -= 1;
  }
}
