import type { Arch } from "../../domain/arch";
import { assemble, bootSector } from "../machineCode";

/**
 * Programs without an operating system that run a loop of tens of millions of instructions and switch the machine off: they prove that an
 * accelerator doesn't only open but computes. Bytes with their assembly beside them, so that no assembler is needed.
 */

// A boot sector at 0x7c00: to long mode (the mode in which para-virtual KVMs were seen to crawl), 12.5 million rounds of four
// instructions, then 0x10 to port 0xf4, which isa-debug-exit makes exit status (0x10 << 1) | 1 = 33.
const x86Code = `
  fa              cli
  31 c0           xor ax,ax
  8e d8           mov ds,ax
  8e c0           mov es,ax
  8e d0           mov ss,ax
  bc 00 7c        mov sp,0x7c00
  e4 92           in al,0x92            ; A20 on
  0c 02           or al,2
  e6 92           out 0x92,al
  66 bf 00 10 00 00          mov edi,0x1000        ; PML4 0x1000, PDPT 0x2000, PD 0x3000
  0f 22 df                   mov cr3,edi
  66 31 c0                   xor eax,eax
  66 b9 00 0c 00 00          mov ecx,0x3000/4
  f3 66 ab                   rep stosd
  66 c7 06 00 10 03 20 00 00 mov dword [0x1000],0x2003
  66 c7 06 00 20 03 30 00 00 mov dword [0x2000],0x3003
  66 c7 06 00 30 83 00 00 00 mov dword [0x3000],0x83       ; 2 MiB pages
  66 c7 06 08 30 83 00 20 00 mov dword [0x3008],0x200083
  0f 20 e0                   mov eax,cr4
  66 83 c8 20                or eax,1<<5           ; PAE
  0f 22 e0                   mov cr4,eax
  66 b9 80 00 00 c0          mov ecx,0xc0000080    ; EFER
  0f 32                      rdmsr
  66 0d 00 01 00 00          or eax,1<<8           ; long mode
  0f 30                      wrmsr
  0f 20 c0                   mov eax,cr0
  66 0d 01 00 00 80          or eax,0x80000001     ; protection, paging
  0f 22 c0                   mov cr0,eax
  0f 01 16 93 7c             lgdt [gdtr]
  ea 99 7c 08 00             jmp 8:long
  00 00 00 00 00 00 00 00    gdt: null
  00 00 00 00 00 9a 20 00         64-bit code
  00 00 00 00 00 92 00 00         data
  17 00 7b 7c 00 00          gdtr: limit 23, gdt at 0x7c7b
  66 b8 10 00     long: mov ax,16
  8e d8           mov ds,ax
  8e c0           mov es,ax
  8e d0           mov ss,ax
  b9 20 bc be 00  mov ecx,12500000
  48 01 c8        round: add rax,rcx
  48 31 c3        xor rbx,rax
  ff c9           dec ecx
  75 f6           jnz round
  66 ba f4 00     mov dx,0xf4
  b0 10           mov al,0x10
  ee              out dx,al
  f4              hlt`;

// Loaded 2 MiB into the virt machine's RAM (its device tree comes first): 25 million rounds of two instructions, then PSCI SYSTEM_OFF (0x84000008) by hvc.
const aarch64Code = `
  00 0f 8f d2     movz x0,#0x7878
  e0 2f a0 f2     movk x0,#0x017f,lsl #16   ; 25,131,128
  00 04 00 f1     round: subs x0,x0,#1
  e1 ff ff 54     b.ne round
  00 01 80 52     movz w0,#0x0008
  00 80 b0 72     movk w0,#0x8400,lsl #16
  02 00 00 d4     hvc #0
  00 00 00 14     b .`;

export interface ProbeProgram {
  bytes: Buffer;
  /** QEMU's arguments beside machine, accelerator and processor. */
  args(file: string): string[];
  machine: string;
  /** The exit status of a run that came to its end. */
  exitStatus: number;
}

export const probePrograms: Record<Arch, ProbeProgram> = {
  x86_64: {
    bytes: bootSector(assemble(x86Code)),
    machine: "pc",
    exitStatus: 33,
    args: (file) => [
      ...["-m", "32", "-device", JSON.stringify({ driver: "isa-debug-exit", iobase: 0xf4, iosize: 4 })],
      ...[
        "-blockdev",
        JSON.stringify({ driver: "raw", "node-name": "probe", file: { driver: "file", filename: file } }),
      ],
      ...["-device", JSON.stringify({ driver: "ide-hd", drive: "probe" })],
    ],
  },
  aarch64: {
    bytes: assemble(aarch64Code),
    machine: "virt",
    exitStatus: 0,
    args: (file) => {
      const loader = { driver: "loader", file, addr: 0x4020_0000, "cpu-num": 0, "force-raw": true };
      return ["-m", "32", "-device", JSON.stringify(loader)];
    },
  },
};
