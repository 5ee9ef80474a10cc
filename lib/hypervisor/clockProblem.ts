/** Why the clock of a guest that goes on with its memory is as it was then, and what to do, where it had no agent when the snapshot was taken. */
export const noAgentForClock =
  "Its clock is as it was then, since no agent answered in the guest when the snapshot was taken: set it in the guest.";
