/** What FreeBSD, DragonFly, NetBSD and illumos print of the memory that their loader told them of. */
import { fromClosed, fromLength, PAGE } from '../address/range';
import { efiMeaning, efiTypeNumber } from './efiTypes';
import { firmwareEntry } from './firmwareTypes';
import { rowDialect } from './rows';

const number = (hex: string | undefined): bigint => BigInt(`0x${hex}`);

/**
 * The firmware's map: `smap` of the loader (stand/i386/libi386, command_smap), `boot -v` (sys/amd64/amd64/machdep.c,
 * add_smap_entry) and `sysctl machdep.smap` (sbin/sysctl, S_bios_smap_xattr, with commas): a type in hexadecimal, a start and a
 * length in bytes.
 */
export const freebsdSmapDialect = rowDialect('FreeBSD SMAP', [
  {
    name: 'FreeBSD SMAP',
    anchor: 'SMAP type=',
    heading: null,
    row: /SMAP type=([0-9a-f]{2,8})(?:, xattr=[0-9a-f]{2,8},)? base=([0-9a-f]{16}),? len=([0-9a-f]{16})(?: attr=[0-9a-f]{2,8})?/g,
    fact: ([, type, start, length]) =>
      firmwareEntry(parseInt(type!, 16), number(start), number(length), 'FreeBSD'),
  },
]);

/**
 * The EFI map: `memmap` of the loader (stand/efi/loader/main.c), `boot -v` (print_efi_map_entries) and
 * `sysctl machdep.efi_map` (sbin/sysctl, S_efi_map): a physical start, a virtual one and a count of pages of 4 KiB.
 */
export const freebsdEfiDialect = rowDialect('FreeBSD EFI', [
  {
    name: 'FreeBSD EFI',
    anchor: '#Pages',
    heading: /Type {1,24}Physical {1,16}Virtual {1,16}#Pages {1,8}Attr/g,
    onlyUnderHeading: true,
    row: /([A-Z][A-Za-z]{5,30}|<INVALID>) {1,16}([0-9a-f]{12,16}) {1,16}(?:0x)?[0-9a-f]{1,16} ([0-9a-f]{8,16})((?: [A-Z_]{2,15}){0,16})(?!\w)/g,
    fact([, type, start, pages, attributes]) {
      const known = efiTypeNumber(type!.replace('Services', '').replace('IOPort', 'I/OPort'));
      const names = attributes!.trim() === '' ? [] : attributes!.trim().split(/ +/);
      return {
        range: fromLength(number(start), number(pages) * PAGE),
        name: type!,
        ...(known === null
          ? { kind: 'reserved', reason: 'FreeBSD does not know the EFI memory type of this.' }
          : efiMeaning(known, names)),
      };
    },
  },
]);

/** Memory that the kernel may use, as `boot -v` of FreeBSD and DragonFly lists it (cpu_startup): the last byte is printed. */
export const freebsdChunksDialect = rowDialect('FreeBSD memory chunks', [
  {
    name: 'FreeBSD memory chunks',
    anchor: 'Physical memory chunk(s):',
    heading: /Physical memory chunk\(s\):/g,
    onlyUnderHeading: true,
    row: /0x([0-9a-f]{1,16}) - 0x([0-9a-f]{1,16}), \d{1,20} bytes \(\d{1,20} pages\)/g,
    fact: ([, start, last]) => ({
      range: fromClosed(number(start), number(last)),
      kind: 'ram',
      name: 'phys_avail',
      reason: 'FreeBSD gives this memory to its allocator.',
    }),
  },
]);

/** NetBSD with DEBUG_MEMLOAD (sys/arch/x86/x86/x86_machdep.c, initx86_parse_memmap): a start and a size in bytes. */
export const netbsdDialect = rowDialect('NetBSD', [
  {
    name: 'NetBSD',
    anchor: 'BIOS MEMORY MAP (',
    heading: /BIOS MEMORY MAP \(\d{1,4} ENTRIES\):/g,
    onlyUnderHeading: true,
    row: /addr 0x([0-9a-f]{1,16}) {1,4}size 0x([0-9a-f]{1,16}) {1,4}type 0x([0-9a-f]{1,8})(?!\w)/g,
    fact: ([, start, size, type]) =>
      firmwareEntry(parseInt(type!, 16), number(start), number(size), 'NetBSD'),
  },
]);

/**
 * Lists of illumos: `::memlist` of mdb (usr/src/cmd/mdb/common/modules/genunix/memory.c, memlist: the address of the list's node, a
 * start and a size in bytes) and print_memlist of the kernel (usr/src/uts/i86pc/os/startup.c). `virt_avail` is of linear
 * addresses, so it is left out.
 */
export const memlistDialect = rowDialect('illumos memlist', [
  {
    name: 'illumos memlist',
    anchor: 'BASE',
    heading:
      /(?:\b(phys_(?:install|avail)):[ \t]{0,8}\r?\n[ \t>]{0,24})?(?<!virt_avail:[ \t]{0,8}\r?\n[ \t>]{0,24})ADDR {1,40}BASE {1,40}SIZE/g,
    onlyUnderHeading: true,
    row: /(?<!\w)[0-9a-f]{16} {1,16}([0-9a-f]{1,16}) {1,16}([0-9a-f]{1,16})(?=[ \t\r]{0,8}(?:\n|$))/g,
    fact: ([, start, size]) => ({
      range: fromLength(number(start), number(size)),
      kind: 'ram',
      name: 'memory',
      reason: 'The kernel has this memory in its list.',
    }),
  },
  {
    name: 'illumos memlist',
    anchor: 'MEMLIST: ',
    heading: /MEMLIST: ([\w ]{1,40}):/g,
    onlyUnderHeading: true,
    row: /Address 0x([0-9a-f]{1,16}), size 0x([0-9a-f]{1,16})(?!\w)/g,
    fact: ([, start, size]) => ({
      range: fromLength(number(start), number(size)),
      kind: 'ram',
      name: 'memory',
      reason: 'The kernel has this memory in its list.',
    }),
  },
]);
