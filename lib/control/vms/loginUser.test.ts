import { expect, test } from "vitest";
import { noFirstBoot } from "../../domain/firstBoot";
import { loginUserOf, ownKeyUsers } from "./loginUser";

test("the image's user is believed until a guest tells of others alone", () => {
  const image = { loginUser: "opensuse" };
  expect(loginUserOf({ keyUsers: [] }, image)).toBe("opensuse");
  expect(loginUserOf({ keyUsers: ["ada", "opensuse"] }, image)).toBe("opensuse");
  expect(loginUserOf({ keyUsers: ["sles", "root"] }, image)).toBe("sles");
});

test("users that were asked for by name say nothing of the image's", () => {
  const ada = { name: "ada", sudo: true, publicKeys: [], passwordHash: null };
  expect(ownKeyUsers(["sles", "ada"], { ...noFirstBoot, users: [ada] })).toEqual(["sles"]);
});
