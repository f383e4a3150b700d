/** #VMEXIT codes of AMD SVM. APM vol. 2, appendix C (exit codes) and 15.7 to 15.12, 15.25.6 (EXITINFO). */
import { hex } from '../address/format';
import {
  bit,
  bits,
  choice,
  explainFields,
  field,
  flag,
  setFlags,
  type BitField,
  type Explanation,
} from './bitField';
import { exceptionName } from './exceptions';
import { PAGE_FAULT_ERROR } from './pageFaultError';

/** Codes with a name of their own; the numbered families (CR, DR, exceptions) are computed. */
const SVM_EXIT_CODES: Readonly<Record<number, string>> = {
  0x60: 'INTR',
  0x61: 'NMI',
  0x62: 'SMI',
  0x63: 'INIT',
  0x64: 'VINTR',
  0x65: 'selective CR0 write',
  0x66: 'IDTR read',
  0x67: 'GDTR read',
  0x68: 'LDTR read',
  0x69: 'TR read',
  0x6a: 'IDTR write',
  0x6b: 'GDTR write',
  0x6c: 'LDTR write',
  0x6d: 'TR write',
  0x6e: 'RDTSC',
  0x6f: 'RDPMC',
  0x70: 'PUSHF',
  0x71: 'POPF',
  0x72: 'CPUID',
  0x73: 'RSM',
  0x74: 'IRET',
  0x75: 'INTn',
  0x76: 'INVD',
  0x77: 'PAUSE',
  0x78: 'HLT',
  0x79: 'INVLPG',
  0x7a: 'INVLPGA',
  0x7b: 'I/O',
  0x7c: 'MSR',
  0x7d: 'task switch',
  0x7e: 'FERR freeze',
  0x7f: 'shutdown (triple fault)',
  0x80: 'VMRUN',
  0x81: 'VMMCALL',
  0x82: 'VMLOAD',
  0x83: 'VMSAVE',
  0x84: 'STGI',
  0x85: 'CLGI',
  0x86: 'SKINIT',
  0x87: 'RDTSCP',
  0x88: 'ICEBP',
  0x89: 'WBINVD',
  0x8a: 'MONITOR',
  0x8b: 'MWAIT',
  0x8c: 'conditional MWAIT',
  0x8d: 'XSETBV',
  0x8e: 'RDPRU',
  0x8f: 'after a write of EFER',
  0xa0: 'INVLPGB',
  0xa1: 'illegal INVLPGB',
  0xa2: 'INVPCID',
  0xa3: 'MCOMMIT',
  0xa4: 'TLBSYNC',
  0xa5: 'bus lock',
  0xa6: 'idle HLT',
  0x400: 'nested page fault',
  0x401: 'AVIC incomplete IPI',
  0x402: 'AVIC unaccelerated access',
  0x403: 'VMGEXIT',
};

const INVALID = (1n << 64n) - 1n;

/** The name of an exit code, null for one that is in no table. -1 (INVALID) may come as 32 or 64 bits. */
function svmExitName(code: bigint): string | null {
  if (code === INVALID || code === 0xffffffffn) return 'invalid guest state: VMRUN refused it';
  if (code === INVALID - 1n || code === 0xfffffffen) return 'the VMSA is busy';
  if (code > 0xffffn) return null;
  const number = Number(code);
  if (number < 0x10) return `CR${number} read`;
  if (number < 0x20) return `CR${number - 0x10} write`;
  if (number < 0x30) return `DR${number - 0x20} read`;
  if (number < 0x40) return `DR${number - 0x30} write`;
  if (number < 0x60) return `exception ${exceptionName(number - 0x40)}`;
  if (number >= 0x90 && number < 0xa0) return `after a write of CR${number - 0x90}`;
  return SVM_EXIT_CODES[number] ?? null;
}

const IOIO: readonly BitField[] = [
  choice(0, 'direction', 'OUT', 'IN'),
  flag(2, 'string', 'string instruction'),
  flag(3, 'REP', 'REP prefix'),
  flag(4, 'SZ8', '8-bit operand'),
  flag(5, 'SZ16', '16-bit operand'),
  flag(6, 'SZ32', '32-bit operand'),
  flag(7, 'A16', '16-bit addresses'),
  flag(8, 'A32', '32-bit addresses'),
  flag(9, 'A64', '64-bit addresses'),
  field(12, 10, 'segment', (value) => ['ES', 'CS', 'SS', 'DS', 'FS', 'GS'][Number(value)] ?? 'reserved'),
  field(31, 16, 'port', hex),
];
const MSR: readonly BitField[] = [choice(0, 'direction', 'RDMSR', 'WRMSR')];
const NESTED_PAGE_FAULT: readonly BitField[] = [
  ...PAGE_FAULT_ERROR,
  flag(32, 'final', 'during the final translation'),
  flag(33, 'walk', 'during a walk of the guest page tables'),
];

function infoFields(code: bigint): readonly BitField[] {
  if (code === 0x7bn) return IOIO;
  if (code === 0x7cn) return MSR;
  if (code === 0x400n) return NESTED_PAGE_FAULT;
  return [];
}

function infoSummary(code: bigint, info1: bigint, info2: bigint | null): string | null {
  if (code === 0x7bn)
    return `${bit(info1, 3) ? 'REP ' : ''}${bit(info1, 0) ? 'IN' : 'OUT'}${bit(info1, 2) ? 'S' : ''} port ${hex(bits(info1, 31, 16))}`;
  if (code === 0x7cn) return bit(info1, 0) ? 'WRMSR' : 'RDMSR';
  if (code === 0x400n) {
    const access = bit(info1, 4) ? 'fetch' : bit(info1, 1) ? 'write' : 'read';
    return `${access}, ${bit(info1, 0) ? 'refused' : 'not present'}${info2 === null ? '' : `, GPA ${hex(info2)}`}`;
  }
  return null;
}

/** `info1` and `info2` are EXITINFO1 and EXITINFO2 where they are known. */
export function explainSvmExit(
  code: bigint,
  info1: bigint | null = null,
  info2: bigint | null = null,
): Explanation {
  const name = svmExitName(code);
  const table = info1 === null ? [] : infoFields(code);
  const detail = info1 === null ? null : infoSummary(code, info1, info2);
  return {
    kind: 'svm-exit',
    value: hex(code),
    summary: [name ?? `exit code ${hex(code)}`, detail].filter((part) => part !== null).join(' · '),
    fields: [
      { name: 'exit code', bits: '63:0', value: hex(code), meaning: name ?? 'not in the table' },
      ...(info1 === null
        ? []
        : explainFields(
            info1,
            table.map((one) => ({ ...one, name: `info1: ${one.name}` })),
          )),
      ...(info2 === null
        ? []
        : [
            {
              name: 'info2',
              bits: '63:0',
              value: hex(info2),
              meaning:
                code === 0x400n
                  ? 'guest physical address'
                  : code === 0x7bn
                    ? 'address of the next instruction'
                    : 'by exit code',
            },
          ]),
    ],
    set: info1 === null ? [] : setFlags(info1, table),
    problems: name === null ? [`Exit code ${hex(code)} is not in this table.`] : [],
  };
}
