import { EventEmitter } from "node:events";
import { Duplex } from "node:stream";

const maxLogCharacters = 64 * 1024;

const prompt = "fake login: ";

/**
 * The text console of a machine that isn't there: what it printed, and what is typed echoed at its prompt. Emits `print`; `off` when the machine
 * stops, which ends its screens; `gone` when it is removed, which ends its serial lines too.
 */
export class FakeTerminal extends EventEmitter<{ print: [text: string]; off: []; gone: [] }> {
  log = "";

  print(text: string): void {
    this.log = (this.log + text).slice(-maxLogCharacters);
    this.emit("print", text);
  }

  /** Keys as a terminal sends them. */
  type(keys: string): void {
    for (const key of keys) {
      if (key === "\r" || key === "\n") this.print(`\r\n${prompt}`);
      else if (key >= " ") this.print(key);
    }
  }

  /** One more viewer of the serial line: the log first, then live. */
  openSerial(): Duplex {
    const onPrint = (text: string) => void serial.push(Buffer.from(text));
    const onGone = () => serial.push(null);
    const serial = new Duplex({
      allowHalfOpen: false,
      read: () => undefined,
      write: (chunk: Buffer, _encoding, done) => {
        this.type(chunk.toString("utf8"));
        done();
      },
      destroy: (error, done) => {
        this.off("print", onPrint);
        this.off("gone", onGone);
        done(error);
      },
    });
    serial.push(Buffer.from(this.log));
    this.on("print", onPrint);
    this.on("gone", onGone);
    return serial;
  }
}
