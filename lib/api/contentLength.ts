import type { ServerResponse } from "node:http";

/** By which a route says how many bytes its answer has: Next takes `Content-Length` from what routes answer (server/send-response.js of its package). */
export const lengthHeader = "x-cumulus-content-length";

/** Has an answer's length told as it should be, so that who downloads a file knows how far it is and whether it is whole. */
export function tellLength(response: ServerResponse): void {
  const setHeader = response.setHeader.bind(response);
  response.setHeader = (name, value) => {
    if (name !== lengthHeader) return setHeader(name, value);
    return setHeader("content-length", Array.isArray(value) ? (value[0] ?? "") : String(value));
  };
}
