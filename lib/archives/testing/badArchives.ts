import { gzipSync } from "node:zlib";
import { MIB } from "../../domain/units";
import { archivedVm, bytesOf, tarOf } from "./tar";

/** A file that must not be imported, and what it is refused with. */
export interface BadArchive {
  name: string;
  make(): AsyncIterable<Buffer>;
  why: RegExp;
}

const vm = { name: "vm.json" };
const disk = { name: "disk.qcow2", content: Buffer.alloc(3000, 7) };
const saying = (change: object) => ({ ...vm, content: JSON.stringify({ ...archivedVm, ...change }) });

async function* changed(chunks: AsyncIterable<Buffer>, change: (bytes: Buffer) => Buffer) {
  yield change(await bytesOf(chunks));
}

const tar = (entries: Parameters<typeof tarOf>[0]) => () => tarOf(entries);

/** Archives that are damaged, that lead elsewhere, or that describe what can't be. */
export const badArchives: readonly BadArchive[] = [
  { name: "an empty file", make: tar([]), why: /it has no vm\.json/ },
  {
    name: "text",
    make: () => changed(tarOf([]), () => Buffer.from("hello ".repeat(500))),
    why: /no tar archive, or it is damaged/,
  },
  {
    name: "a compressed archive",
    make: () => changed(tarOf([vm, disk]), (bytes) => gzipSync(bytes)),
    why: /no tar archive/,
  },
  {
    name: "a disk alone",
    make: () => changed(tarOf([]), () => Buffer.from(`QFI\xfb${"\0".repeat(2000)}`, "latin1")),
    why: /no tar archive/,
  },
  { name: "one without a description", make: tar([disk]), why: /must begin with vm\.json/ },
  { name: "one whose description is not the first", make: tar([disk, vm]), why: /must begin with vm\.json/ },
  { name: "one without a disk", make: tar([vm]), why: /it has no disk\.qcow2/ },
  {
    name: "one that was cut short in its disk",
    make: () => changed(tarOf([vm, disk]), (bytes) => bytes.subarray(0, 4000)),
    why: /damaged or cut short/,
  },
  {
    name: "one that was cut short in its description",
    make: () => changed(tarOf([vm, disk]), (bytes) => bytes.subarray(0, 700)),
    why: /damaged or cut short/,
  },
  {
    name: "one with a damaged header",
    make: () => changed(tarOf([vm, disk]), (bytes) => bytes.fill(1, 1024, 1100)),
    why: /damaged or cut short/,
  },
  { name: "one with the same file twice", make: tar([vm, disk, disk]), why: /"disk\.qcow2" is in it more than once/ },
  { name: "one with a description twice", make: tar([vm, disk, vm]), why: /"vm\.json" is in it more than once/ },
  {
    name: "one with another file",
    make: tar([vm, { name: "readme.txt", content: "hi" }, disk]),
    why: /"readme\.txt" is in it/,
  },
  {
    name: "one with a file of the prototype's name",
    make: tar([vm, { name: "__proto__", content: "hi" }, disk]),
    why: /"__proto__" is in it/,
  },
  {
    name: "one that leads up",
    make: tar([vm, { name: "../../disk.qcow2", content: "x" }]),
    why: /"\.\.\/\.\.\/disk\.qcow2" is in it/,
  },
  {
    name: "one with an absolute path",
    make: tar([vm, { name: "/etc/passwd", content: "x" }]),
    why: /"\/etc\/passwd" is in it/,
  },
  {
    name: "one whose disk is a symbolic link",
    make: tar([vm, { name: "disk.qcow2", type: "symlink", linkname: "/etc/shadow" }]),
    why: /no regular file/,
  },
  {
    name: "one whose disk is a hard link",
    make: tar([vm, { name: "disk.qcow2", type: "link", linkname: "vm.json" }]),
    why: /no regular file/,
  },
  {
    name: "one whose disk is a device",
    make: tar([vm, { name: "disk.qcow2", type: "block-device", devmajor: 8 }]),
    why: /no regular file/,
  },
  {
    name: "one whose description is a folder",
    make: tar([{ name: "vm.json", type: "directory" }, disk]),
    why: /no regular file|"vm\.json\/" is in it/,
  },
  {
    name: "one whose description has no end",
    make: tar([{ ...vm, content: " ".repeat(2 * MIB) }, disk]),
    why: /larger than 1 MiB/,
  },
  {
    name: "one whose path is renamed by an extended header",
    make: tar([{ ...vm, pax: { path: "../vm.json" } }, disk]),
    why: /"\.\.\/vm\.json" is in it/,
  },
  {
    name: "one whose size is wrong by an extended header",
    make: tar([vm, { ...disk, pax: { size: "-1" } }]),
    why: /damaged or cut short/,
  },
  {
    name: "one with an endless extended header",
    make: tar([{ ...vm, pax: { comment: "x".repeat(6 * MIB) } }, disk]),
    why: /damaged|must begin/,
  },
  {
    name: "one whose description is no JSON",
    make: tar([{ ...vm, content: "{" }, disk]),
    why: /vm\.json in it is no JSON/,
  },
  { name: "one that describes nothing", make: tar([{ ...vm, content: "null" }, disk]), why: /describes no VM/ },
  { name: "one with a name that is none", make: tar([saying({ name: "../web" }), disk]), why: /describes no VM.*name/ },
  {
    name: "one with a network that is none",
    make: tar([saying({ network: "../lab" }), disk]),
    why: /describes no VM.*network/,
  },
  { name: "one without a processor", make: tar([saying({ vcpus: 0 }), disk]), why: /describes no VM.*vcpus/ },
  {
    name: "one with more memory than any",
    make: tar([saying({ memoryBytes: 2 ** 52 }), disk]),
    why: /describes no VM.*memoryBytes/,
  },
  {
    name: "one of a processor that isn't known",
    make: tar([saying({ arch: "z80" }), disk]),
    why: /describes no VM.*arch/,
  },
  {
    name: "one whose login user is an option",
    make: tar([saying({ loginUser: "-oProxyCommand=x" }), disk]),
    why: /describes no VM.*loginUser/,
  },
  {
    name: "one with a key that is none",
    make: tar([saying({ sshKeys: [{ name: "a", publicKey: "command=x ssh-rsa A" }] }), disk]),
    why: /describes no VM.*sshKeys/,
  },
];
