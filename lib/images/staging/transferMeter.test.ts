import { expect, test } from "vitest";
import type { Transfer } from "../../domain/task";
import { TransferMeter } from "./transferMeter";

function meter() {
  const told: [number, Transfer | undefined][] = [];
  let nowMs = 0;
  const report = {
    progress: (percent: number, _: string, transfer?: Transfer) => told.push([percent, transfer]),
    log() {},
  };
  return {
    told,
    subject: new TransferMeter(report, "downloads", [0, 80], () => nowMs),
    goTo: (ms: number) => {
      nowMs = ms;
    },
  };
}

test("the rate is that of the last seconds, and the share is of the part that the transfer is", () => {
  const { told, subject, goTo } = meter();
  subject.tell(0, 1000);
  goTo(1000);
  subject.tell(100, 1000);
  goTo(10_000);
  subject.tell(100, 1000);
  goTo(11_000);
  subject.tell(500, 1000);
  expect(told).toEqual([
    [0, { doneBytes: 0, totalBytes: 1000, bytesPerSecond: null }],
    [8, { doneBytes: 100, totalBytes: 1000, bytesPerSecond: 100 }],
    [8, { doneBytes: 100, totalBytes: 1000, bytesPerSecond: null }],
    [40, { doneBytes: 500, totalBytes: 1000, bytesPerSecond: 400 }],
  ]);
});

test("it doesn't tell of every chunk, but always of the end", () => {
  const { told, subject } = meter();
  for (let bytes = 1; bytes <= 100; bytes++) subject.tell(bytes, 100);
  expect(told.map(([, transfer]) => transfer?.doneBytes)).toEqual([1, 100]);
});

test("a transfer that begins anew has no negative rate, and one of unknown size no share", () => {
  const { told, subject, goTo } = meter();
  subject.tell(5000, null);
  goTo(1000);
  subject.tell(10, null);
  expect(told).toEqual([
    [0, { doneBytes: 5000, totalBytes: null, bytesPerSecond: null }],
    [0, { doneBytes: 10, totalBytes: null, bytesPerSecond: null }],
  ]);
});
