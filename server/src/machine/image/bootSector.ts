/** Disk images that a BIOS boots: their first sector ends in 55 AA (IBM PC BIOS, INT 19h). */

const SECTOR = 512;
const SIGNATURE_AT = 510;

/** True where the first sector is one and bears the signature. */
export function isBootSector(bytes: Uint8Array): boolean {
  return bytes.length >= SECTOR && bytes[SIGNATURE_AT] === 0x55 && bytes[SIGNATURE_AT + 1] === 0xaa;
}
