/** The part of noVNC 1.7 that Cumulus uses; its own docs/API.md describes all of it. The package ships no types. */
declare module "@novnc/novnc" {
  interface RfbEvents {
    /** The handshake is done: frames and keys flow. */
    connect: CustomEvent<Record<string, never>>;
    /** The connection is over, for good. */
    disconnect: CustomEvent<{ clean: boolean }>;
  }

  /** A viewer of a VNC server. It adds its canvas to `target` and takes it away when it disconnects. */
  export default class RFB extends EventTarget {
    constructor(target: HTMLElement, channel: WebSocket, options?: { shared?: boolean });

    /** Fits the screen into `target`; else it is shown pixel by pixel, with scroll bars where it is larger. */
    scaleViewport: boolean;
    /** CSS background around the screen. */
    background: string;
    /** Draws a dot where the guest shows no pointer of its own. */
    showDotCursor: boolean;

    disconnect(): void;
    focus(options?: FocusOptions): void;
    blur(): void;
    /**
     * @param keysym X11 keysym
     * @param code `KeyboardEvent.code` of the physical key, or null
     * @param down press or release; both when not given
     */
    sendKey(keysym: number, code: string | null, down?: boolean): void;
    /** The last frame, also after the connection's end. */
    toDataURL(type?: string): string;

    addEventListener<Name extends keyof RfbEvents>(name: Name, listener: (event: RfbEvents[Name]) => void): void;
  }
}
