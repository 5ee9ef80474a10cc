/** The consoles of a VM: its screen (binary RFB) and its serial line (terminal bytes). */
export type ConsoleKind = "vnc" | "serial";

/**
 * Why a console's WebSocket was closed (RFC 6455, section 7.4.1): what the browser decides by. After `ended` (the VM's side is gone), `failed` and
 * `restarting` it tries again; after `denied` it doesn't.
 */
export const closeCodes = { ended: 1001, binaryOnly: 1003, denied: 1008, failed: 1011, restarting: 1012 } as const;
