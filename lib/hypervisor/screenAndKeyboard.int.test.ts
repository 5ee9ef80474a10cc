import { spawn } from "node:child_process";
import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Hypervisor } from "./hypervisor";
import { machinePaths } from "./machinePaths";
import { TestHost } from "./testing/testHost";
import { openTerminal, startTestVm } from "./testing/testVm";
import { until } from "./testing/until";

let host: TestHost;
let agent: Hypervisor;
let lastId = 0;

beforeAll(async () => {
  host = await TestHost.make();
  agent = await host.agent();
});
afterAll(async () => {
  await host.close();
});

const running = () => startTestVm(host, agent, ++lastId);

describe("screen and keyboard", () => {
  test("a screenshot is a PNG, and none is to be had of a VM that is off", async () => {
    const { id } = await running();
    const [first, second] = await Promise.all([agent.screenshot(id), agent.screenshot(id)]);
    expect(first.subarray(0, 8)).toEqual(Buffer.from("\x89PNG\r\n\x1a\n", "latin1"));
    expect(second).toEqual(first);
    await agent.stop(id);
    await expect(agent.screenshot(id)).rejects.toMatchObject({ code: "wrong_state" });
    expect((await agent.lastScreenshot(id))?.subarray(1, 4).toString()).toBe("PNG");
    await agent.remove(id);
  });

  test("VNC greets each of several viewers", async () => {
    const { id } = await running();
    for (const stream of [await agent.openVnc(id), await agent.openVnc(id)]) {
      const [greeting] = await once(stream, "data");
      expect(String(greeting)).toBe("RFB 003.008\n");
      stream.destroy();
    }
    await agent.remove(id);
  });

  test("typed text arrives in the guest, and typing stops when asked to", async () => {
    const { id } = await running();
    const shown = await openTerminal(agent, id);
    const text = "Az09 ~!@#$%^&*()_+{}|:<>?`-=[]\\;',./\"";
    // On a busy computer the guest may be away for longer than its keyboard's queue lasts, but not three times in a row.
    const arrives = async () => {
      await agent.typeText(id, text, new AbortController().signal);
      return until(() => shown.text.endsWith(text), 20_000).then(
        () => true,
        () => false,
      );
    };
    expect((await arrives()) || (await arrives()) || (await arrives())).toBe(true);
    const abort = new AbortController();
    const typing = agent.typeText(id, "x".repeat(2000), abort.signal);
    await until(() => shown.text.endsWith("xx"));
    abort.abort();
    await typing;
    expect(shown.text.split("x").length).toBeLessThan(1000);
    await expect(agent.typeText(id, "né", abort.signal)).rejects.toMatchObject({ code: "bad_request" });
    await agent.remove(id);
  });

  test("terminals see the log from the first line, share the port, and outlive stop and start", async () => {
    const { id } = await running();
    const [first, second] = [await openTerminal(agent, id), await openTerminal(agent, id)];
    first.stream.write("hi");
    await until(() => first.text.includes("boot done\r\nhi") && second.text.includes("boot done\r\nhi"));
    await agent.stop(id);
    await agent.start(id);
    await until(() => second.text.split("Linux version").length === 3);
    second.stream.write("again");
    await until(() => first.text.endsWith("again"));
    await agent.remove(id);
    await until(() => first.stream.destroyed);
  });

  test("people on the host reach the serial port by its socket, beside terminals that are open", async () => {
    const { id } = await running();
    const open = await openTerminal(agent, id);
    const socat = spawn("socat", ["-", `unix-connect:${machinePaths(host.settings, id).serial}`]);
    let output = "";
    socat.stdout.on("data", (chunk) => {
      output += chunk;
    });
    socat.stdin.write("hi");
    await until(() => output.includes("Linux version") && output.endsWith("hi") && open.text.endsWith("hi"));
    open.stream.write("hi");
    await until(() => output.endsWith("hihi"));
    socat.kill();
    open.stream.write("!");
    await until(() => open.text.endsWith("hihi!"));
    await agent.remove(id);
  });
});
