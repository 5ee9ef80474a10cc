import * as z from "zod";

const message = "Ports are 1 to 65535.";

/** A TCP or UDP port. */
export const portSchema = z.number(message).int(message).min(1, message).max(65_535, message);
