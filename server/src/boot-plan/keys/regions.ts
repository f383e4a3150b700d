/** `[[region]]`: guest-physical address space. */
import type { RegionKind } from '../../machine/machine';
import type { ObjectShape } from '../../text/shape/shape';
import { NUMBER, oneOf, PERMISSIONS, STRING } from './values';

const KINDS: Readonly<Record<RegionKind, string>> = {
  ram: 'Memory that the guest may use.',
  reserved: 'Memory that is there and not for the guest’s free use.',
  rom: 'Memory that the guest reads and cannot write.',
  mmio: 'Registers of a device: accesses leave the guest.',
  acpi: 'ACPI tables, which may be reclaimed (E820 type 3).',
  nvs: 'ACPI non-volatile storage (E820 type 4).',
  unusable: 'Memory with errors (E820 type 5).',
  persistent: 'Persistent memory (E820 type 7).',
  hole: 'Nothing: the VMM says that no memory is here.',
};

export const REGION: ObjectShape = {
  kind: 'object',
  others: 'refused',
  members: {
    kind: {
      shape: oneOf(Object.entries(KINDS).map(([value, text]) => ({ value, text }))),
      required: true,
      text: 'What lies there. `ram`, `acpi` and `nvs` are memory in a run, `rom` is read only, everything else leaves the guest as MMIO.',
      example: '"ram"',
    },
    name: { shape: STRING, text: 'A name for pictures and messages.', example: '"low memory"' },
    base: { shape: NUMBER, text: 'The first address, with `size`.', example: '0x0' },
    size: { shape: NUMBER, text: 'Bytes, with `base`.', example: '"640K"' },
    start: { shape: NUMBER, text: 'The first address, with `end` or `last`.', example: '0x0' },
    end: {
      shape: NUMBER,
      text: 'The first address **after** the region: `[start, end)` is half-open. At most `"0x10000000000000000"`, the end of the address space.',
      example: '0xa0000',
    },
    last: {
      shape: NUMBER,
      text: 'The address of the last byte, which **belongs** to the region: `[start, last]` is closed, as `/proc/iomem` and most E820 listings print it.',
      example: '0x9ffff',
    },
    permissions: {
      shape: PERMISSIONS,
      text: 'What the guest may do there, as the VMM maps it. It is shown and checked; a run takes `w` from `kind` alone.',
      example: '"rwx"',
    },
  },
};
