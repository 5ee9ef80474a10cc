import * as z from "zod";

/** A MAC that may be chosen for an interface: unicast, and locally administered as no real card's is (IEEE 802). */
export const chosenMacSchema = z
  .string()
  .toLowerCase()
  .regex(
    /^(?!02)[0-9a-f][26ae](:[0-9a-f]{2}){5}$/,
    "Use a MAC like 52:54:00:12:34:56, whose second digit is 2, 6, a or e. Those that start with 02 are gateways'.",
  );
