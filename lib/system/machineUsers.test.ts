import { expect, test } from "vitest";
import { asUser, chooseUserScheme, type MachineUser, workUidOf, workUserId } from "./machineUsers";

test("each VM has a user of its own where there are ids enough", () => {
  const scheme = chooseUserScheme("         0          0 4294967295\n", [104]);
  expect(scheme.kind).toBe("per-machine");
  expect(scheme.userOf(1)).toEqual({
    uid: 1_900_000_001,
    gid: 1_900_000_001,
    imagesGid: 1_900_000_000,
    layersGid: 1_950_000_001,
    extraGids: [104],
  });
  expect(scheme.userOf(1)?.uid).not.toBe(scheme.userOf(2)?.uid);
});

test("the group of work on images is none that a VM is in", () => {
  const { userOf } = chooseUserScheme("         0          0 4294967295\n", []);
  const groupsOf = (user: MachineUser | null) => [user?.gid, user?.imagesGid, user?.layersGid];
  const own = userOf(workUserId)?.gid;
  expect(own).toBeGreaterThan(0);
  expect([1, 2, 49_999_999].flatMap((id) => groupsOf(userOf(id)))).not.toContain(own);
});

test("a container with 65,536 ids gives all VMs one that it has, and that isn't root's or nobody's", () => {
  const scheme = chooseUserScheme("         0     100000      65536\n", []);
  expect(scheme.kind).toBe("shared");
  const user = scheme.userOf(1);
  expect(user?.uid).toBeLessThan(65534);
  expect(user?.uid).toBeGreaterThan(1000);
  expect(scheme.userOf(2)).toEqual(user);
});

test("a namespace that maps root alone runs QEMU as it is", () => {
  expect(chooseUserScheme("0 1000 1\n", []).kind).toBe("own");
});

test("work on images has a user of its own only where each VM has one: rules for it are for no VM", () => {
  const own = chooseUserScheme("         0          0 4294967295\n", []);
  expect(workUidOf(own)).toBe(1_900_000_000);
  expect(own.userOf(1)?.uid).not.toBe(workUidOf(own));
  for (const uidMap of ["0 100000 65536\n", "0 1000 1\n"]) expect(workUidOf(chooseUserScheme(uidMap, []))).toBeNull();
});

test("the command gives up all rights before it runs the program", () => {
  const user = { uid: 5, gid: 6, imagesGid: 7, layersGid: 9, extraGids: [8] };
  const { program, args } = asUser(user, "qemu", ["-a"]);
  expect(program).toBe("setpriv");
  expect(args).toEqual(expect.arrayContaining(["--reuid=5", "--regid=6", "--groups=7,8", "--no-new-privs"]));
  expect(args.slice(-3)).toEqual(["--", "qemu", "-a"]);
  expect(asUser(null, "qemu", ["-a"])).toEqual({ program: "qemu", args: ["-a"] });
});
