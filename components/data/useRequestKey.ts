"use client";

import { useRef } from "react";

/** The Idempotency-Key of a request: the same request keeps its key, so that sent again after a lost answer it makes nothing twice. */
export function useRequestKey(): (request: unknown) => string {
  const sent = useRef({ text: "", key: "" });
  return (request) => {
    const text = JSON.stringify(request);
    if (sent.current.text !== text) sent.current = { text, key: newKey() };
    return sent.current.key;
  };
}

/** A key that no other request has. Not `randomUUID`, which browsers have only on https and localhost. */
function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
