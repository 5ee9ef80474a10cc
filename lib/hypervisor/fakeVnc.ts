import { Duplex } from "node:stream";
import { drawText } from "./fakeScreen";
import type { FakeTerminal } from "./fakeTerminal";

/** Messages of a client after its ClientInit, by type, and how long they are (RFC 6143, section 7.5). */
const messageBytes: Record<number, (buffer: Buffer) => number> = {
  0: () => 20,
  2: (buffer) => 4 + 4 * buffer.readUInt16BE(2),
  3: () => 10,
  4: () => 8,
  5: () => 6,
  6: (buffer) => 8 + buffer.readUInt32BE(4),
};
/** The longest head that says how long a message is. */
const headBytes = 8;

/**
 * A VNC server for one viewer (RFB 3.8, RFC 6143): no password, 640 × 480, the terminal's text as raw pixels of 32 bits, whatever
 * encodings the viewer knows. Keys go to the terminal. It has no say in the byte order of pixels, since all are grey.
 */
export function openFakeVnc(terminal: FakeTerminal): Duplex {
  let received: Buffer = Buffer.alloc(0);
  let isChanged = true;
  let isUpdateAsked = false;

  const update = () => {
    if (!isChanged || !isUpdateAsked) return;
    isChanged = false;
    isUpdateAsked = false;
    vnc.push(framebufferUpdate(terminal.log));
  };
  const onPrint = () => {
    isChanged = true;
    update();
  };
  const onOff = () => vnc.push(null);

  // The handshake, a step for each thing that the client says; undefined once it is done.
  const steps: { bytes: number; reply: () => Buffer }[] = [
    { bytes: 12, reply: () => Buffer.from([1, 1]) },
    { bytes: 1, reply: () => Buffer.alloc(4) },
    { bytes: 1, reply: serverInit },
  ];
  const takeMessage = (): boolean => {
    const step = steps[0];
    if (step) {
      if (received.length < step.bytes) return false;
      vnc.push(step.reply());
      steps.shift();
      received = received.subarray(step.bytes);
      return true;
    }
    const type = received[0];
    if (type === undefined) return false;
    const lengthOf = messageBytes[type];
    if (!lengthOf) throw new Error(`The VNC client sent a message of type ${type}, which the fake doesn't know.`);
    if (received.length < (type === 2 || type === 6 ? headBytes : 1)) return false;
    const bytes = lengthOf(received);
    if (received.length < bytes) return false;
    onMessage(type, received.subarray(0, bytes));
    received = received.subarray(bytes);
    return true;
  };
  const onMessage = (type: number, message: Buffer) => {
    if (type === 3) {
      isUpdateAsked = true;
      const isIncremental = message[1] === 1;
      if (!isIncremental) isChanged = true;
      update();
    }
    const isPressed = message[1] === 1;
    if (type === 4 && isPressed) terminal.type(keyOf(message.readUInt32BE(4)));
  };

  const vnc = new Duplex({
    allowHalfOpen: false,
    read: () => undefined,
    write(chunk: Buffer, _encoding, done) {
      received = Buffer.concat([received, chunk]);
      try {
        while (takeMessage());
        done();
      } catch (error) {
        done(error as Error);
      }
    },
    destroy(error, done) {
      terminal.off("print", onPrint);
      terminal.off("off", onOff);
      done(error);
    },
  });
  terminal.on("print", onPrint);
  terminal.on("off", onOff);
  vnc.push("RFB 003.008\n");
  return vnc;
}

/** A keysym of X11: Latin-1 is itself, 0xff0d is Return. */
function keyOf(keysym: number): string {
  if (keysym === 0xff0d) return "\r";
  return keysym >= 0x20 && keysym <= 0x7e ? String.fromCharCode(keysym) : "";
}

/** ServerInit (section 7.3.2): 640 × 480, 32 bits a pixel, depth 24, true colour, little-endian BGRX. */
function serverInit(): Buffer {
  const name = Buffer.from("fake");
  const head = Buffer.alloc(24);
  head.writeUInt16BE(640, 0);
  head.writeUInt16BE(480, 2);
  head.set([32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0], 4);
  head.writeUInt32BE(name.length, 20);
  return Buffer.concat([head, name]);
}

/** FramebufferUpdate (section 7.6.1) of one raw rectangle, the whole screen. */
function framebufferUpdate(text: string): Buffer {
  const { width, height, pixels } = drawText(text);
  const update = Buffer.alloc(16 + pixels.length * 4);
  update.writeUInt16BE(1, 2);
  update.writeUInt16BE(width, 8);
  update.writeUInt16BE(height, 10);
  for (const [index, grey] of pixels.entries()) update.fill(grey, 16 + index * 4, 19 + index * 4);
  return update;
}
