import { expect, test } from "vitest";
import { lastWords } from "./lastWords";

const logged = (level: number, msg: string) => JSON.stringify({ level, time: 0, name: "console", msg });

test("an error that was logged says why a process ended", () => {
  const log = [logged(30, "starts"), logged(60, "Port 80 is taken."), logged(30, "stops")].join("\n");
  expect(lastWords(log)).toBe("Port 80 is taken");
});

test("a crash of Node.js says why, without its stack", () => {
  const log = `${logged(30, "starts")}
node:internal/process/esm_loader:34
TypeError: x is not a function
    at main (file:///app/dist/console.js:3:1)

Node.js v20.20.2
`;
  expect(lastWords(log)).toBe("TypeError: x is not a function");
});

test("else the last plain line is what there is", () => {
  expect(lastWords(`${logged(30, "starts")}\nThe console could not start: no database\n`)).toBe(
    "The console could not start: no database",
  );
  expect(lastWords("")).toBe("");
});
