/** `[[vcpu]]`: registers before the first instruction, and the same registers at the end of a run for `[expect]`. */
import type { BitField } from '../../x86/bitField';
import { CR0, CR4, EFER, RFLAGS } from '../../x86/controlRegisters';
import { GENERAL_REGISTERS, SEGMENTS } from '../../x86/state';
import type { Member, ObjectShape, Shape } from '../../text/shape/shape';
import { array, bitsOf, bitValues, integer, NUMBER, oneOf } from './values';

/** Registers with named bits. */
export const BIT_REGISTERS: Readonly<Record<string, readonly BitField[]>> = {
  rflags: RFLAGS,
  cr0: CR0,
  cr4: CR4,
  efer: EFER,
};
const PLAIN_REGISTERS = ['rip', 'cr2', 'cr3', 'cr8', ...GENERAL_REGISTERS] as const;
export const DEBUG_REGISTERS = ['dr0', 'dr1', 'dr2', 'dr3', 'dr6', 'dr7'] as const;

const SELECTOR = integer(0n, 0xffffn);

const SEGMENT_STATE: ObjectShape = {
  kind: 'object',
  others: 'refused',
  members: {
    selector: { shape: SELECTOR, text: 'The visible part.', default: '0', example: '8' },
    base: { shape: NUMBER, text: 'Linear address of offset 0.', example: '0' },
    limit: {
      shape: integer(0n, 0xffffffffn),
      text: 'Offset of the **last** byte, in bytes.',
      example: '0xffffffff',
    },
    attributes: {
      shape: integer(0n, 0x1ffffn),
      text: 'Access rights as VMX has them: type 3:0, S 4, DPL 6:5, P 7, AVL 12, L 13, D/B 14, G 15, unusable 16.',
      example: '0xa09b',
    },
  },
};

const TABLE_REGISTER: ObjectShape = {
  kind: 'object',
  others: 'refused',
  members: {
    base: { shape: NUMBER, text: 'Linear address of the table.', example: '0x500' },
    limit: { shape: integer(0n, 0xffffn), text: 'Offset of the **last** byte.', example: '0x1f' },
  },
};

/** What a register is, in words. */
function textOf(name: string): string {
  switch (name) {
    case 'rip':
      return 'Instruction pointer: offset in CS of the first instruction.';
    case 'rsp':
      return 'Stack pointer.';
    case 'cr2':
      return 'Linear address of the last page fault.';
    case 'cr3':
      return 'Physical address of the top page table, PCID or PWT and PCD. Without it the top of `[paging]`, where there is one.';
    case 'cr8':
      return 'Task priority.';
    default:
      return `General register ${name.toUpperCase()}.`;
  }
}

const BIT_TEXTS: Readonly<Record<string, string>> = {
  rflags: 'Flags.',
  cr0: 'CR0: protection, paging, write protection.',
  cr4: 'CR4: PAE, LA57 and other extensions.',
  efer: 'IA32_EFER: long mode, NX, SYSCALL.',
};

const members = (rows: readonly (readonly [string, Member])[]): Record<string, Member> =>
  Object.fromEntries(rows);

const COMMON: Record<string, Member> = members([
  ...PLAIN_REGISTERS.map((name) => [name, { shape: NUMBER, text: textOf(name), example: '0x0' }] as const),
  ...DEBUG_REGISTERS.map(
    (name) => [name, { shape: NUMBER, text: `Debug register ${name.toUpperCase()}.` }] as const,
  ),
]);

export const VCPU: ObjectShape = {
  kind: 'object',
  others: 'refused',
  members: {
    index: {
      shape: integer(0n, 1023n),
      text: 'Which vCPU it is.',
      default: 'the one after the `[[vcpu]]` before, from 0 on',
    },
    activity: {
      shape: oneOf([
        { value: 'running', text: 'Executes from its RIP on.' },
        { value: 'halted', text: 'Waits for an interrupt, as after HLT.' },
        { value: 'wait-for-sipi', text: 'Waits for a start-up IPI, as an application processor after INIT.' },
      ]),
      text: 'What the vCPU does at the start.',
      default: '`"running"`',
    },
    ...COMMON,
    ...members(
      Object.entries(BIT_REGISTERS).map(([name, fields]) => [
        name,
        {
          shape: bitsOf(fields),
          text: `${BIT_TEXTS[name]!} A list of bit names sets these bits and no others${name === 'rflags' ? ' (and bit 1, which is always 1)' : ''}; a number is the whole register.`,
          example: name === 'rflags' ? '2' : '[]',
        },
      ]),
    ),
    ...members(
      SEGMENTS.map((name) => [
        name,
        {
          shape: { kind: 'either', of: [SEGMENT_STATE, SELECTOR] } as const,
          text: `${name.toUpperCase()}. A selector alone (\`${name} = 8\`) is loaded from \`[gdt]\` as the processor would; with \`base\`, \`limit\` and \`attributes\` the hidden part is as given.`,
          example: name === 'cs' ? '8' : '0x10',
        },
      ]),
    ),
    gdtr: { shape: TABLE_REGISTER, text: 'GDTR.', default: 'base and limit of `[gdt]`' },
    idtr: { shape: TABLE_REGISTER, text: 'IDTR.', default: 'base and limit of `[idt]`' },
    msrs: {
      shape: { kind: 'names', of: NUMBER, what: 'an MSR' },
      text: 'Model-specific registers by index: `{ "0x277" = "0x0007040600070406" }`.',
      example: '{ "0x277" = 0x0007040600070406 }',
    },
  },
};

const expectedBits = (fields: readonly BitField[]): Shape => ({
  kind: 'either',
  of: [
    array(
      oneOf(
        bitValues(fields).flatMap(({ value, text }) => [
          { value, text: `${text} Must be 1.` },
          { value: `!${value}`, text: `${text} Must be 0.` },
        ]),
      ),
      1,
    ),
    ...NUMBER.of,
  ],
});

/** Registers at the end of a run. */
export const EXPECTED_REGISTERS: ObjectShape = {
  kind: 'object',
  others: 'refused',
  members: {
    ...COMMON,
    ...members(
      Object.entries(BIT_REGISTERS).map(([name, fields]) => [
        name,
        {
          shape: expectedBits(fields),
          text: `${BIT_TEXTS[name]!} A list names bits that must be 1, and with \`!\` before the name 0; the others do not matter. A number is the whole register.`,
          example: '[]',
        },
      ]),
    ),
    ...members(
      SEGMENTS.map((name) => [
        name,
        {
          shape: { kind: 'either', of: [SEGMENT_STATE, SELECTOR] } as const,
          text: `${name.toUpperCase()}: its selector, or a table of the parts that matter.`,
          example: '8',
        },
      ]),
    ),
    gdtr: { shape: TABLE_REGISTER, text: 'GDTR: the parts that matter.' },
    idtr: { shape: TABLE_REGISTER, text: 'IDTR: the parts that matter.' },
  },
};
