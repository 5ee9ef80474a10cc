import { expect, test } from "vitest";
import type { Context } from "./context";
import { inTurn } from "./turns";

test("one after the other, in the order of asking, also past one that fails", async () => {
  const context = {} as Context;
  const order: string[] = [];
  const act = (name: string, fails = false) =>
    inTurn(context, async () => {
      order.push(`${name} begins`);
      await Promise.resolve();
      order.push(`${name} ends`);
      if (fails) throw new Error(name);
      return name;
    });
  const [one, other, third] = [act("one"), act("other", true), act("third")];
  await expect(other).rejects.toThrow("other");
  expect(await Promise.all([one, third])).toEqual(["one", "third"]);
  expect(order).toEqual(["one", "other", "third"].flatMap((name) => [`${name} begins`, `${name} ends`]));
});
