import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { assemble, bootSector } from "../machineCode";
import { efiApplication } from "./testEfi";
import { testGuestSector } from "./testGuest";

/** What a BIOS loads from the CD: it tells so on the serial port, and writes what lies behind it to the disk's first sector. */
const code = `
  fa                            cli
  31 c0                         xor ax,ax
  8e d8                         mov ds,ax
  8e c0                         mov es,ax
  8e d0                         mov ss,ax
  bc 00 7c                      mov sp,0x7c00
  fb                            sti
  be 52 7c                      mov si,greeting
  e8 15 00                      call print
  be 42 7c                      mov si,packet         ; write one sector to the first hard disk
  b8 00 43                      mov ax,0x4300
  b2 80                         mov dl,0x80
  cd 13                         int 0x13
  72 06                         jc wait
  be 67 7c                      mov si,done
  e8 03 00                      call print
  f4                            wait: hlt
  eb fd                         jmp wait
  ac                            print: lodsb
  84 c0                         test al,al
  74 05                         jz printed
  e8 03 00                      call put
  eb f6                         jmp print
  c3                            printed: ret
  50                            put: push ax
  ba fd 03                      mov dx,0x3fd
  ec                            full: in al,dx
  a8 20                         test al,0x20
  74 fb                         jz full
  58                            pop ax
  ba f8 03                      mov dx,0x3f8
  ee                            out dx,al
  c3                            ret
  10 00 01 00 00 7e 00 00       packet: db 16,0 / dw 1,0x7e00,0
  00 00 00 00 00 00 00 00       dq 0`;

export const cdGreeting = "booted from the CD";
export const cdInstalled = "installed";
export const cdEfiGreeting = "booted from the CD by UEFI";

/**
 * Makes an ISO that installs the test guest (./testGuest.ts) on the disk of whoever boots from it by a BIOS: El Torito without emulation, of four
 * sectors of 512 bytes, which are loaded to 0x7c00. By UEFI it greets, and does nothing.
 */
export async function makeInstallerIso(folder: string): Promise<string> {
  const words = Buffer.from(`${cdGreeting}\r\n\0${cdInstalled}\r\n\0`);
  const installer = bootSector(Buffer.concat([assemble(code), words]));
  const tree = join(folder, "installer");
  await mkdir(tree);
  await writeFile(join(tree, "boot.bin"), Buffer.concat([installer, testGuestSector], 2048));
  await makeEfiPartition(folder, join(tree, "efi.img"));
  const iso = join(folder, "installer.iso");
  const bios = ["-b", "boot.bin", "-no-emul-boot", "-boot-load-size", "4", "-c", "boot.cat"];
  const efi = ["-eltorito-alt-boot", "-e", "efi.img", "-no-emul-boot"];
  await execa("xorriso", ["-as", "mkisofs", "-quiet", "-V", "INSTALLER", ...bios, ...efi, "-o", iso, tree]);
  return iso;
}

/** A FAT file system with the program that UEFI starts from a medium that can be taken out (UEFI, section 3.5.1.1). */
async function makeEfiPartition(folder: string, file: string): Promise<void> {
  const program = join(folder, "bootx64.efi");
  await writeFile(program, efiApplication(`${cdEfiGreeting}\r\n`));
  await execa("mkfs.vfat", ["-C", file, "1440"]);
  for (const name of ["::/EFI", "::/EFI/BOOT"]) await execa("mmd", ["-i", file, name]);
  await execa("mcopy", ["-i", file, program, "::/EFI/BOOT/BOOTX64.EFI"]);
}
