/** `[gdt]`, `[idt]`, `[paging]` and `[[map]]`. */
import type { Member, ObjectShape, Shape } from '../../text/shape/shape';
import { GATE_TYPES, SEGMENT_TYPES } from '../descriptors';
import type { PlannedPaging } from '../plan';
import { array, BOOLEAN, integer, NUMBER, oneOf, PERMISSIONS } from './values';

const typesOf = (rows: Readonly<Record<string, { readonly text: string }>>) =>
  oneOf(Object.entries(rows).map(([value, { text }]) => ({ value, text: `${text}.` })));

const COMMON: Readonly<Record<string, Member>> = {
  dpl: { shape: integer(0n, 3n), text: 'Descriptor privilege level.', default: '0' },
  present: { shape: BOOLEAN, text: 'The bit P.', default: 'true' },
};

const BITS: Readonly<Record<string, Member>> = {
  avl: { shape: BOOLEAN, text: 'The bit AVL, which is software’s.', default: 'false' },
  l: { shape: BOOLEAN, text: 'The bit L, where it should be other than the type has it.' },
  d: { shape: BOOLEAN, text: 'The bit D/B, where it should be other than the type has it.' },
  g: {
    shape: BOOLEAN,
    text: 'The bit G. Without this key it is 1 where `limit` is above 0xfffff.',
  },
};

/** A descriptor of a GDT by its fields; which of them a type takes is held by the reader. */
const SEGMENT_ENTRY: ObjectShape = {
  kind: 'object',
  others: 'refused',
  members: {
    type: {
      shape: typesOf(SEGMENT_TYPES),
      required: true,
      text: 'What the descriptor is; it decides the type field, S, L and D/B.',
      example: '"code64"',
    },
    base: { shape: NUMBER, text: 'Where the segment starts (linear).', default: '0' },
    limit: {
      shape: NUMBER,
      text: 'Offset of the **last** byte, in bytes; G and the 20-bit field follow from it. Above 0xfffff it ends with 0xfff.',
      default:
        '0xffffffff for code and data (0xffff in 16 bits), 0x67 for a TSS (0x2b in 16 bits), 0xffff for an LDT',
    },
    ...COMMON,
    readable: { shape: BOOLEAN, text: 'Code: the bit R.', default: 'true' },
    conforming: { shape: BOOLEAN, text: 'Code: the bit C.', default: 'false' },
    writable: { shape: BOOLEAN, text: 'Data: the bit W.', default: 'true' },
    'expand-down': {
      shape: BOOLEAN,
      text: 'Data: the bit E. Valid offsets lie above `limit` then.',
      default: 'false',
    },
    accessed: { shape: BOOLEAN, text: 'Code and data: the bit A.', default: 'false' },
    busy: { shape: BOOLEAN, text: 'TSS: busy.', default: 'false' },
    ...BITS,
  },
};

const GATE_ENTRY: ObjectShape = {
  kind: 'object',
  others: 'refused',
  members: {
    vector: {
      shape: integer(0n, 255n),
      text: 'Which vector it is for; without it the one after the entry before.',
      example: '14',
    },
    type: { shape: typesOf(GATE_TYPES), required: true, text: 'What the gate is.', example: '"interrupt64"' },
    selector: {
      shape: integer(0n, 0xffffn),
      required: true,
      text: 'Code segment of the handler, or TSS of a task gate.',
      example: '8',
    },
    offset: { shape: NUMBER, text: 'Where the handler starts.', default: '0' },
    ist: {
      shape: integer(0n, 7n),
      text: 'Stack of the interrupt stack table, 0 for none; 64-bit gates.',
      default: '0',
    },
    ...COMMON,
  },
};

const entries = (entry: ObjectShape): Shape => array({ kind: 'either', of: [entry, ...NUMBER.of] });

const LIMIT: Member = {
  shape: integer(0n, 0xffffn),
  text: 'What the limit field of the register holds: the offset of the **last** byte.',
  default: 'the length of `entries` in bytes, less 1',
};

export const GDT: ObjectShape = {
  kind: 'object',
  others: 'refused',
  members: {
    base: {
      shape: NUMBER,
      required: true,
      text: 'Where the table lies in guest memory, and the base of GDTR.',
      example: '0x500',
    },
    entries: {
      shape: entries(SEGMENT_ENTRY),
      required: true,
      text: 'Descriptors from index 0 on: 8 bytes as a number, or their fields. `tss64` and `ldt64` take two.',
      example: '[0, 0x00af9b000000ffff]',
    },
    limit: LIMIT,
  },
};

export const IDT: ObjectShape = {
  kind: 'object',
  others: 'refused',
  members: {
    base: {
      shape: NUMBER,
      required: true,
      text: 'Where the table lies in guest memory, and the base of IDTR.',
      example: '0x520',
    },
    entries: {
      shape: entries(GATE_ENTRY),
      required: true,
      text: 'Gates: 8 bytes as a number (a 64-bit gate is two numbers), or their fields.',
      example: '[0]',
    },
    limit: LIMIT,
  },
};

const MODES: Readonly<Record<PlannedPaging['mode'], string>> = {
  '32-bit': 'Page directory and page tables; pages of 4 KiB and 4 MiB (CR4.PSE).',
  pae: 'Page-directory-pointer table, directories, page tables; pages of 4 KiB and 2 MiB.',
  '4-level': 'PML4 to page tables; pages of 4 KiB, 2 MiB and 1 GiB.',
  '5-level': 'PML5 to page tables (CR4.LA57); pages of 4 KiB, 2 MiB and 1 GiB.',
};

export const PAGING: ObjectShape = {
  kind: 'object',
  others: 'refused',
  members: {
    mode: {
      shape: oneOf(Object.entries(MODES).map(([value, text]) => ({ value, text }))),
      required: true,
      text: 'The form of the page tables. It sets no control register: `cr0`, `cr4` and `efer` of a vCPU do.',
      example: '"4-level"',
    },
    tables: {
      shape: { kind: 'either', of: [array(NUMBER, 1), ...NUMBER.of] },
      required: true,
      text: 'Where the tables lie: the address of the top one, which the others follow page by page in the order in which the mappings need them; or a list of addresses in that order.',
      example: '0x9000',
    },
  },
};

const UPPER_RIGHTS: Readonly<Record<string, Member>> = {
  permissions: { shape: PERMISSIONS, text: 'RW and NX of the entries above.', default: '`"rwx"`' },
  user: { shape: BOOLEAN, text: 'US of the entries above.', default: 'as the leaves' },
};

/** Entries that lead to tables, by the level that they stand in. */
export const UPPER_LEVELS = ['pml5e', 'pml4e', 'pdpte', 'pde'] as const;

export const MAP: ObjectShape = {
  kind: 'object',
  others: 'refused',
  members: {
    linear: { shape: NUMBER, required: true, text: 'The first linear address.', example: '0x0' },
    physical: {
      shape: NUMBER,
      text: 'Where it leads: the first physical address.',
      default: 'the same as `linear`',
    },
    size: { shape: NUMBER, required: true, text: 'Bytes, a multiple of the page size.', example: '"1 GiB"' },
    page: {
      shape: oneOf([
        { value: '4K', text: 'A page-table entry for each 4 KiB.' },
        { value: '2M', text: 'A PDE with PS for each 2 MiB.' },
        { value: '4M', text: 'A PDE with PS for each 4 MiB (32-bit paging).' },
        { value: '1G', text: 'A PDPTE with PS for each GiB (CPUID PDPE1GB).' },
      ]),
      text: 'The size of its pages.',
      default: '`"2M"` (`"4M"` in 32-bit paging) where addresses and size are multiples of it, else `"4K"`',
    },
    permissions: {
      shape: PERMISSIONS,
      text: 'Rights of the leaf entries: `w` is the bit RW, no `x` is the bit NX (EFER.NXE).',
      default: '`"rwx"`',
    },
    user: { shape: BOOLEAN, text: 'The bit US of the leaf entries.', default: 'false' },
    global: { shape: BOOLEAN, text: 'The bit G of the leaf entries.', default: 'false' },
    upper: {
      shape: {
        kind: 'object',
        others: 'refused',
        members: {
          ...UPPER_RIGHTS,
          ...Object.fromEntries(
            UPPER_LEVELS.map((level): [string, Member] => [
              level,
              {
                shape: { kind: 'object', others: 'refused', members: UPPER_RIGHTS },
                text: `Rights of the ${level.toUpperCase()}, where they are other than those of the other entries above.`,
                example: '{ permissions = "r-x" }',
              },
            ]),
          ),
        },
      },
      text: 'Rights of all entries above the leaves. Without it they take no right away: RW is 1, NX is 0, US is 1 where a leaf below has it.',
      example: '{ permissions = "r-x" }',
    },
  },
};
