import { assemble, bootSector } from "../machineCode";

/**
 * A guest of 512 bytes that is up in a moment. It greets on the serial port in the words of the built-in image, echoes what is typed on
 * the serial port or the keyboard to the serial port, and turns itself off at the ACPI power button. On the serial port,
 *
 *     o   turns it off            r   resets it
 *     d   makes it deaf: the power button does nothing any more
 *     w   makes it write its disk full, a dot for each 32 KiB
 */
const code = `
  fa                            cli
  31 c0                         xor ax,ax
  8e d8                         mov ds,ax
  8e c0                         mov es,ax
  8e d0                         mov ss,ax
  bc 00 7c                      mov sp,0x7c00
  fb                            sti
  be b4 7c                      mov si,greeting
  e8 76 00                      call print
  ba 02 06                      mov dx,0x602          ; ACPI PM1_EN: power button
  b8 00 01                      mov ax,0x100
  ef                            out dx,ax
  f4                            wait: hlt              ; until an interrupt: the timer comes 18 times a second
  ba fd 03                      mov dx,0x3fd          ; serial: a byte there?
  ec                            in al,dx
  a8 01                         test al,1
  74 1c                         jz button
  ba f8 03                      mov dx,0x3f8
  ec                            in al,dx
  3c 6f                         cmp al,'o'
  74 33                         je off
  3c 72                         cmp al,'r'
  74 38                         je reset
  3c 77                         cmp al,'w'
  74 3c                         je write
  3c 64                         cmp al,'d'
  75 05                         jne echo
  c6 06 b3 7c 01                mov byte [deaf],1
  e8 55 00                      echo: call put
  80 3e b3 7c 00                button: cmp byte [deaf],0
  75 09                         jne key
  ba 00 06                      mov dx,0x600          ; ACPI PM1_STS
  ed                            in ax,dx
  f6 c4 01                      test ah,1
  75 0f                         jnz off
  b4 01                         key: mov ah,1              ; BIOS keyboard: a key there?
  cd 16                         int 0x16
  74 c5                         jz wait
  b4 00                         mov ah,0
  cd 16                         int 0x16
  e8 38 00                      call put
  eb bc                         jmp wait
  ba 04 06                      off: mov dx,0x604          ; ACPI PM1_CNT: S5
  b8 00 20                      mov ax,0x2000
  ef                            out dx,ax
  eb fe                         jmp $
  ba f9 0c                      reset: mov dx,0xcf9
  b0 06                         mov al,6
  ee                            out dx,al
  eb fe                         jmp $
  be a3 7c                      write: mov si,packet         ; 32 KiB after 32 KiB onto the disk
  b4 43                         mov ah,0x43
  b0 00                         mov al,0
  b2 80                         mov dl,0x80
  cd 13                         int 0x13
  72 9e                         jc wait
  66 83 06 ab 7c 40             add dword [lba],64
  b0 2e                         mov al,'.'
  e8 0d 00                      call put
  eb e6                         jmp write
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
  10 00                         packet: db 16,0
  40 00 00 00 00 10             dw 64,0,0x1000
  00 08 00 00 00 00 00 00       lba: dd 2048,0
  00                            deaf: db 0`;

const greeting = "Linux version 0 (test guest)\r\ncumulus: network up\r\ncumulus: boot done\r\n\0";

export const testGuestSector = bootSector(Buffer.concat([assemble(code), Buffer.from(greeting)]));
