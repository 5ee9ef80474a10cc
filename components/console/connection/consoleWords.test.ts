import { describe, expect, test } from "vitest";
import { vmStatuses } from "../../../lib/domain/vmStatus";
import { connectionLook, consoleNotice } from "./consoleWords";

const word = (...args: Parameters<typeof connectionLook>) => connectionLook(...args).word;

describe("the word", () => {
  test("says whether keys arrive", () => {
    expect(word("running", "connected")).toBe("Connected");
    expect(word("running", "reconnecting")).toBe("Reconnecting");
    expect(word("unreachable", "reconnecting")).toBe("Reconnecting");
    expect(word("stopping", "connected")).toBe("Connected");
    expect(word("paused", "connected")).toBe("Paused");
  });

  test("says that a VM is off, not that a connection is missing", () => {
    expect(word("stopped", "idle")).toBe("Off");
    expect(word("failed", "idle")).toBe("Off");
    expect(word("stopped", "connected")).toBe("Off");
    expect(word("starting", "reconnecting")).toBe("Starting");
  });

  test("says a denial before anything else", () => {
    for (const status of vmStatuses) expect(word(status, "denied")).toBe("No access");
  });
});

describe("the notice", () => {
  test("a live console has none", () => {
    expect(consoleNotice("web", "running", { kind: "connected" }, false)).toBeNull();
    expect(consoleNotice("web", "stopping", { kind: "connected" }, false)).toBeNull();
  });

  test("a VM that is off says how to turn it on", () => {
    expect(consoleNotice("web", "stopped", { kind: "idle" }, false)).toEqual({
      text: "web is off: start it to go on.",
      act: "start",
    });
    expect(consoleNotice("web", "failed", { kind: "idle" }, false)?.act).toBe("start");
  });

  test("a paused VM says how to go on", () => {
    expect(consoleNotice("web", "paused", { kind: "connected" }, false)?.act).toBe("resume");
  });

  test("a short gap of the connection is not worth a sentence, a long one is", () => {
    expect(consoleNotice("web", "running", { kind: "reconnecting" }, false)).toBeNull();
    expect(consoleNotice("web", "running", { kind: "reconnecting" }, true)?.act).toBe("retry");
    expect(consoleNotice("web", "unreachable", { kind: "reconnecting" }, true)?.text).toContain("host");
  });

  test("a denial says why", () => {
    const notice = consoleNotice("web", "running", { kind: "denied", reason: "There is no VM 7." }, false);
    expect(notice).toEqual({ text: "There is no VM 7.", act: "retry" });
  });
});
