import { basename, join } from "node:path";
import type { InstallationPaths, ProcessFact } from "../snapshot";

type CommandLineFacts = Pick<ProcessFact, "vmId" | "uuid" | "disks" | "macs" | "sockets">;

/** What QEMU was told at its start, read from its arguments alone; null for a process that is no QEMU or not of this installation. Pure. */
export function readCommandLine(
  argv: readonly string[],
  paths: Pick<InstallationPaths, "machines" | "machineSockets">,
): CommandLineFacts | null {
  if (!basename(argv[0] ?? "").startsWith("qemu-system-")) return null;
  const sockets = argv.flatMap(socketsOf);
  const disks = valuesOf(argv, "-blockdev").flatMap((value) => writableFiles(parse(value)));
  const isOurs =
    sockets.some((path) => path.startsWith(join(paths.machineSockets, "/"))) ||
    disks.some((path) => path.startsWith(join(paths.machines, "/")));
  if (!isOurs) return null;
  const folder = sockets.find((path) => path.startsWith(join(paths.machineSockets, "/")));
  const id = Number(folder?.slice(paths.machineSockets.length + 1).split("/")[0]);
  return {
    vmId: Number.isInteger(id) ? id : null,
    uuid: valuesOf(argv, "-uuid")[0] ?? null,
    disks,
    macs: valuesOf(argv, "-device").flatMap((value) => stringsAt(parse(value), "mac")),
    sockets,
  };
}

function valuesOf(argv: readonly string[], option: string): string[] {
  return argv.flatMap((argument, index) => (argv[index - 1] === option ? [argument] : []));
}

/** `-chardev socket,…,path=P,…` and `-vnc unix:P,…`; two commas in a path stand for one (qemu(1)). */
function socketsOf(argument: string, index: number, argv: readonly string[]): string[] {
  const option = argv[index - 1];
  const options = argument.split(/(?<!,),(?!,)/).map((part) => part.replaceAll(",,", ","));
  if (option === "-vnc") return options.filter((part) => part.startsWith("unix:")).map((part) => part.slice(5));
  if (option !== "-chardev" || options[0] !== "socket") return [];
  return options.filter((part) => part.startsWith("path=")).map((part) => part.slice(5));
}

/** Files of a block device that QEMU may write to: a node that is read-only is left out with what it names itself. */
function writableFiles(node: unknown): string[] {
  if (typeof node !== "object" || node === null) return [];
  if ("read-only" in node && node["read-only"] === true) return [];
  return [...stringsAt(node, "filename"), ...Object.values(node).flatMap(writableFiles)];
}

function stringsAt(node: unknown, key: string): string[] {
  const value =
    typeof node === "object" && node !== null ? Object.entries(node).find(([name]) => name === key)?.[1] : "";
  return typeof value === "string" && value !== "" ? [value] : [];
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
