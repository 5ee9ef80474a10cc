import { expect, test } from "vitest";
import { toldAfter } from "../testing/planted";

test("a forward of the port that Cumulus listens on is told, with the VM that it leads to", () => {
  const told = toldAfter((snapshot) => {
    snapshot.shadowedForwards = [{ vmName: "vm-1", hostAddress: "0.0.0.0", hostPort: 4402 }];
  });
  expect(told).toEqual([expect.stringMatching(/0\.0\.0\.0:4402 to VM vm-1 is not in effect.*another PORT/)]);
});
