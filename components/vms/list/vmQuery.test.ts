import { describe, expect, test } from "vitest";
import { MIB } from "../../../lib/domain/units";
import type { Vm } from "../../../lib/domain/vm";
import { exampleVm } from "../shared/exampleVm";
import { matchesSearch, pageOf, searchAndSort } from "./vmQuery";

const names = (vms: Vm[]) => vms.map((vm) => vm.name);

describe("search", () => {
  const vm = exampleVm({ id: 12, name: "web-1", ipv4: "192.168.0.9", status: "failed" });

  test("finds a VM by anything that its row shows", () => {
    for (const search of ["web", "WEB-1", "192.168.0.9", "mini", "failed", "small", "12", ""]) {
      expect(matchesSearch(vm, search), search).toBe(true);
    }
  });

  test("asks for every word, in any order", () => {
    expect(matchesSearch(vm, "failed web")).toBe(true);
    expect(matchesSearch(vm, "running web")).toBe(false);
  });
});

describe("order", () => {
  test("sorts names as people count", () => {
    const vms = ["web-10", "web-9", "db"].map((name, id) => exampleVm({ id, name }));
    expect(names(searchAndSort(vms, "", { key: "name", descending: false }))).toEqual(["db", "web-9", "web-10"]);
    expect(names(searchAndSort(vms, "", { key: "name", descending: true }))).toEqual(["web-10", "web-9", "db"]);
  });

  test("sorts addresses by number, not by text", () => {
    const vms = ["192.168.0.10", "192.168.0.9"].map((ipv4, id) => exampleVm({ id, name: ipv4, ipv4 }));
    expect(names(searchAndSort(vms, "", { key: "address", descending: false }))).toEqual([
      "192.168.0.9",
      "192.168.0.10",
    ]);
  });

  test("sorts statuses by what needs attention", () => {
    const statuses = ["stopped", "running", "failed"] as const;
    const vms = statuses.map((status, id) => exampleVm({ id, name: status, status }));
    expect(names(searchAndSort(vms, "", { key: "status", descending: false }))).toEqual([
      "failed",
      "running",
      "stopped",
    ]);
  });

  test("keeps equal rows in the order of their ids, either way round", () => {
    const size = { name: "nano", vcpus: 1, memoryBytes: 256 * MIB, diskBytes: 1 };
    const vms = [3, 1, 2].map((id) => exampleVm({ id, size }));
    for (const descending of [false, true]) {
      expect(searchAndSort(vms, "", { key: "size", descending }).map((vm) => vm.id)).toEqual([1, 2, 3]);
    }
  });

  test("does not change the list that it was given", () => {
    const vms = [2, 1].map((id) => exampleVm({ id }));
    searchAndSort(vms, "", { key: "created", descending: false });
    expect(vms.map((vm) => vm.id)).toEqual([2, 1]);
  });
});

describe("pages", () => {
  const items = Array.from({ length: 101 }, (_, index) => index);

  test("hold all items once", () => {
    const shown = [1, 2, 3].flatMap((page) => pageOf(items, page).items);
    expect(shown).toEqual(items);
  });

  test("a page that is no longer there becomes the last one", () => {
    expect(pageOf(items, 9)).toMatchObject({ page: 3, pageCount: 3, items: [100] });
    expect(pageOf([], 2)).toEqual({ page: 1, pageCount: 1, items: [] });
  });
});
