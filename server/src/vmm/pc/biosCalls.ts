/**
 * The interrupt vectors as boot code finds them that asks a BIOS: every call comes back refused. Xen asks for disks, the
 * memory map and the screen before it looks at what the boot loader gave it.
 */
import { BIOS_SEGMENT } from './layout';
import type { WriteMemory } from '../loaders/loader';

const VECTORS = 256;
/** Video to the system services, and what lies between them. */
const FIRST_CALL = 0x10;
const LAST_CALL = 0x1a;
/** PUSH BP; MOV BP, SP; OR BYTE [BP+6], 1 (CF of the image); POP BP; MOV AH, 0x86 (no such function); IRET. */
const REFUSE = [0x55, 0x89, 0xe5, 0x80, 0x4e, 0x06, 0x01, 0x5d, 0xb4, 0x86, 0xcf] as const;
/** Where the IBM PC has an IRET for interrupts that nobody handles. */
const IGNORE_OFFSET = 0xff53;
const REFUSE_OFFSET = 0xff54;
const IRET = 0xcf;

export function writeBiosCalls(write: WriteMemory): void {
  write(BIOS_SEGMENT.start + BigInt(IGNORE_OFFSET), Uint8Array.of(IRET, ...REFUSE));
  const table = new DataView(new ArrayBuffer(4 * VECTORS));
  for (let vector = 0; vector < VECTORS; vector++) {
    const call = vector >= FIRST_CALL && vector <= LAST_CALL;
    table.setUint16(4 * vector, call ? REFUSE_OFFSET : IGNORE_OFFSET, true);
    table.setUint16(4 * vector + 2, Number(BIOS_SEGMENT.start >> 4n), true);
  }
  write(0n, new Uint8Array(table.buffer));
}
