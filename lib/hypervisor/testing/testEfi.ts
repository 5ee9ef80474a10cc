import { assemble } from "../machineCode";

/** Says the text behind it on the first serial port, then stands still. Position-independent. */
const code = `
  48 8d 35 1c 00 00 00          lea rsi,[rip+text]
  ac                            next: lodsb
  84 c0                         test al,al
  74 14                         jz done
  88 c3                         mov bl,al
  66 ba fd 03                   full: mov dx,0x3fd
  ec                            in al,dx
  a8 20                         test al,0x20
  74 f7                         jz full
  88 d8                         mov al,bl
  66 ba f8 03                   mov dx,0x3f8
  ee                            out dx,al
  eb e7                         jmp next
  f4                            done: hlt
  eb fd                         jmp done`;

const headersBytes = 0x200;
const sectionRva = 0x1000;

/** A UEFI application for x86_64 that says a text on the serial port: PE32+ with one section and nothing to relocate (Microsoft PE Format). */
export function efiApplication(text: string): Buffer {
  const body = Buffer.concat([assemble(code), Buffer.from(`${text}\0`)]);
  const image = Buffer.alloc(headersBytes + 0x200);
  image.write("MZ");
  image.writeUInt32LE(0x40, 0x3c);
  image.write("PE\0\0", 0x40);
  const coff = 0x44;
  image.writeUInt16LE(0x8664, coff); // machine
  image.writeUInt16LE(1, coff + 2); // sections
  image.writeUInt16LE(0xf0, coff + 16); // size of the optional header
  image.writeUInt16LE(0x22, coff + 18); // executable, large addresses
  const optional = coff + 20;
  image.writeUInt16LE(0x20b, optional); // PE32+
  image.writeUInt32LE(0x200, optional + 4); // size of code
  image.writeUInt32LE(sectionRva, optional + 16); // entry point
  image.writeUInt32LE(sectionRva, optional + 20); // base of code
  image.writeUInt32LE(0x1000, optional + 32); // section alignment
  image.writeUInt32LE(0x200, optional + 36); // file alignment
  image.writeUInt32LE(sectionRva + 0x1000, optional + 56); // size of image
  image.writeUInt32LE(headersBytes, optional + 60); // size of headers
  image.writeUInt16LE(10, optional + 68); // subsystem: EFI application
  image.writeUInt32LE(16, optional + 108); // data directories, all empty
  const section = optional + 0xf0;
  image.write(".text", section);
  image.writeUInt32LE(body.length, section + 8);
  image.writeUInt32LE(sectionRva, section + 12);
  image.writeUInt32LE(0x200, section + 16); // size in the file
  image.writeUInt32LE(headersBytes, section + 20); // place in the file
  image.writeUInt32LE(0x60000020, section + 36); // code, executable, readable
  body.copy(image, headersBytes);
  return image;
}
