import type { VmStatus } from "../../../lib/domain/vmStatus";
import type { Tone } from "../../ui/tone";
import type { ConsoleConnection } from "./useKeptConnection";

/** The connection in a word, for the console's bar. */
export interface ConnectionLook {
  word: string;
  tone: Tone;
  moving?: boolean;
}

const statusLooks: Partial<Record<VmStatus, ConnectionLook>> = {
  creating: { word: "Being created", tone: "info", moving: true },
  starting: { word: "Starting", tone: "info", moving: true },
  stopped: { word: "Off", tone: "neutral" },
  failed: { word: "Off", tone: "bad" },
  deleting: { word: "Being destroyed", tone: "info", moving: true },
};

const connectionLooks: Record<ConsoleConnection["kind"], ConnectionLook> = {
  idle: { word: "Not connected", tone: "neutral" },
  connecting: { word: "Connecting", tone: "info", moving: true },
  connected: { word: "Connected", tone: "ok" },
  reconnecting: { word: "Reconnecting", tone: "warn", moving: true },
  denied: { word: "No access", tone: "bad" },
};

/** Pure. What the connection shows counts only where the VM has something to show. */
export function connectionLook(status: VmStatus, connection: ConsoleConnection["kind"]): ConnectionLook {
  if (connection === "denied") return connectionLooks.denied;
  if (connection === "connected" && status === "paused") return { word: "Paused", tone: "warn" };
  if (connection === "connected" && status !== "stopped" && status !== "failed") return connectionLooks.connected;
  return statusLooks[status] ?? connectionLooks[connection];
}

/** What stands over a console that has nothing live to show, and what can be done about it. */
export interface ConsoleNotice {
  text: string;
  act?: "start" | "resume" | "retry";
}

/** Pure. Null while the console is live. `isLong`: it has been reconnecting for a while. */
export function consoleNotice(
  vmName: string,
  status: VmStatus,
  connection: ConsoleConnection,
  isLong: boolean,
): ConsoleNotice | null {
  if (connection.kind === "denied") return { text: connection.reason, act: "retry" };
  switch (status) {
    case "stopped":
      return { text: `${vmName} is off: start it to go on.`, act: "start" };
    case "failed":
      return { text: `${vmName} doesn't run: it crashed, or starting it failed. Start it to try again.`, act: "start" };
    case "paused":
      return { text: `${vmName} is paused: it stands still until you resume it.`, act: "resume" };
    case "creating":
      return { text: `${vmName} is being created. Its first boot appears here.` };
    case "deleting":
      return { text: `${vmName} is being destroyed.` };
  }
  if (connection.kind === "connected") return null;
  if (status === "starting") return { text: `${vmName} is starting.` };
  if (!isLong) return null;
  const who =
    status === "unreachable" ? `The host of ${vmName} doesn't answer` : `The console of ${vmName} doesn't answer`;
  return { text: `${who}. It comes back here by itself.`, act: "retry" };
}
