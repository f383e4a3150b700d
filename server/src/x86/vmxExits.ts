/** VM exits of Intel VMX. SDM vol. 3, appendix C (basic exit reasons) and 27.2.1 (exit qualifications). */
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

const VMX_EXIT_REASONS: Readonly<Record<number, string>> = {
  0: 'exception or NMI',
  1: 'external interrupt',
  2: 'triple fault',
  3: 'INIT signal',
  4: 'start-up IPI',
  5: 'I/O SMI',
  6: 'other SMI',
  7: 'interrupt window',
  8: 'NMI window',
  9: 'task switch',
  10: 'CPUID',
  11: 'GETSEC',
  12: 'HLT',
  13: 'INVD',
  14: 'INVLPG',
  15: 'RDPMC',
  16: 'RDTSC',
  17: 'RSM',
  18: 'VMCALL',
  19: 'VMCLEAR',
  20: 'VMLAUNCH',
  21: 'VMPTRLD',
  22: 'VMPTRST',
  23: 'VMREAD',
  24: 'VMRESUME',
  25: 'VMWRITE',
  26: 'VMXOFF',
  27: 'VMXON',
  28: 'control-register access',
  29: 'debug-register access',
  30: 'I/O instruction',
  31: 'RDMSR',
  32: 'WRMSR',
  33: 'VM entry failed: invalid guest state',
  34: 'VM entry failed: MSR loading',
  36: 'MWAIT',
  37: 'monitor trap flag',
  39: 'MONITOR',
  40: 'PAUSE',
  41: 'VM entry failed: machine check',
  43: 'TPR below threshold',
  44: 'APIC access',
  45: 'virtualized EOI',
  46: 'access to GDTR or IDTR',
  47: 'access to LDTR or TR',
  48: 'EPT violation',
  49: 'EPT misconfiguration',
  50: 'INVEPT',
  51: 'RDTSCP',
  52: 'VMX preemption timer expired',
  53: 'INVVPID',
  54: 'WBINVD or WBNOINVD',
  55: 'XSETBV',
  56: 'APIC write',
  57: 'RDRAND',
  58: 'INVPCID',
  59: 'VMFUNC',
  60: 'ENCLS',
  61: 'RDSEED',
  62: 'page-modification log full',
  63: 'XSAVES',
  64: 'XRSTORS',
  65: 'PCONFIG',
  66: 'SPP-related event',
  67: 'UMWAIT',
  68: 'TPAUSE',
  69: 'LOADIWKEY',
  70: 'ENCLV',
  72: 'ENQCMD PASID translation failed',
  73: 'ENQCMDS PASID translation failed',
  74: 'bus lock',
  75: 'instruction timeout (notify)',
  76: 'SEAMCALL',
  77: 'TDCALL',
  78: 'RDMSRLIST',
  79: 'WRMSRLIST',
};

const REASON_FIELDS: readonly BitField[] = [
  field(15, 0, 'basic reason', (value) => VMX_EXIT_REASONS[Number(value)] ?? 'not in the table'),
  flag(26, 'bus lock', 'a bus lock was asserted'),
  flag(27, 'enclave', 'in enclave mode'),
  flag(28, 'pending MTF', 'a monitor-trap-flag exit was pending'),
  flag(29, 'root', 'exit from VMX root operation'),
  choice(31, 'entry failure', 'a true VM exit', 'the VM entry failed: the guest did not run'),
];

const ACCESS_TYPES = ['MOV to CR', 'MOV from CR', 'CLTS', 'LMSW'] as const;
const GPR = [
  'RAX',
  'RCX',
  'RDX',
  'RBX',
  'RSP',
  'RBP',
  'RSI',
  'RDI',
  'R8',
  'R9',
  'R10',
  'R11',
  'R12',
  'R13',
  'R14',
  'R15',
] as const;
const gpr = (value: bigint): string => GPR[Number(value)] ?? 'no register';
const prefixed = (fields: readonly BitField[]): BitField[] =>
  fields.map((one) => ({ ...one, name: `qualification: ${one.name}` }));

/** Fields of the exit qualification by basic reason (SDM vol. 3, tables 27-3 to 27-7). */
const QUALIFICATIONS: Readonly<Record<number, readonly BitField[]>> = {
  9: [
    field(15, 0, 'TSS selector', hex),
    field(31, 30, 'source', (value) => ['CALL', 'IRET', 'JMP', 'task gate in the IDT'][Number(value)]!),
  ],
  28: [
    field(3, 0, 'register', (value) => `CR${value}`),
    field(5, 4, 'access', (value) => ACCESS_TYPES[Number(value)]!),
    choice(6, 'LMSW operand', 'register', 'memory'),
    field(11, 8, 'operand', gpr),
    field(31, 16, 'LMSW source', hex),
  ],
  29: [
    field(2, 0, 'register', (value) => `DR${value}`),
    choice(4, 'direction', 'MOV to DR', 'MOV from DR'),
    field(11, 8, 'operand', gpr),
  ],
  30: [
    field(
      2,
      0,
      'size',
      (value) => ({ 0: '1 byte', 1: '2 bytes', 3: '4 bytes' })[Number(value)] ?? 'not used',
    ),
    choice(3, 'direction', 'OUT', 'IN'),
    flag(4, 'string', 'string instruction'),
    flag(5, 'REP', 'REP prefix'),
    choice(6, 'operand', 'port in DX', 'immediate port'),
    field(31, 16, 'port', hex),
  ],
  44: [
    field(11, 0, 'offset', hex),
    field(
      15,
      12,
      'access',
      (value) =>
        ['linear read', 'linear write', 'linear fetch', 'event delivery'][Number(value)] ??
        'guest-physical access, or not used',
    ),
  ],
  48: [
    flag(0, 'read', 'a data read'),
    flag(1, 'write', 'a data write'),
    flag(2, 'fetch', 'an instruction fetch'),
    flag(3, 'readable', 'the EPT entries allow reads'),
    flag(4, 'writable', 'the EPT entries allow writes'),
    flag(5, 'executable', 'the EPT entries allow fetches'),
    flag(7, 'GLA valid', 'the guest linear address is valid'),
    choice(8, 'final', 'an access to a paging structure', 'the translation of the linear address itself'),
    flag(12, 'NMI unblocking', 'NMI unblocking due to IRET'),
  ],
};

const FAILED_STATE: Readonly<Record<string, string>> = {
  '2': 'loading the PDPTEs',
  '3': 'NMI injection with blocking by STI',
  '4': 'an invalid VMCS link pointer',
};

function qualificationSummary(reason: number, qualification: bigint): string | null {
  const q = (high: number, low: number): number => Number(bits(qualification, high, low));
  switch (reason) {
    case 28: {
      const access = q(5, 4);
      if (access >= 2) return ACCESS_TYPES[access]!;
      return access === 0 ? `MOV CR${q(3, 0)} ← ${GPR[q(11, 8)]}` : `MOV ${GPR[q(11, 8)]} ← CR${q(3, 0)}`;
    }
    case 30:
      return `${bit(qualification, 5) ? 'REP ' : ''}${bit(qualification, 3) ? 'IN' : 'OUT'}${bit(qualification, 4) ? 'S' : ''} port ${hex(q(31, 16))}, ${q(2, 0) + 1} ${q(2, 0) === 0 ? 'byte' : 'bytes'}`;
    case 33:
      return FAILED_STATE[qualification.toString()] ?? null;
    case 34:
      return `entry ${qualification} of the MSR-load area`;
    case 48: {
      const access =
        ['read', 'write', 'fetch'].filter((_, at) => bit(qualification, at)).join('+') || 'access';
      const allowed =
        q(5, 3) === 0
          ? 'not mapped'
          : `allowed: ${['r', 'w', 'x'].map((letter, at) => (bit(qualification, at + 3) ? letter : '-')).join('')}`;
      return `${access}, ${allowed}`;
    }
    default:
      return null;
  }
}

const INTERRUPTION_TYPES = [
  'external interrupt',
  'reserved',
  'NMI',
  'hardware exception',
  'software interrupt',
  'privileged software exception',
  'software exception',
  'other event',
] as const;

/** Interruption information of entry, exit and IDT vectoring (SDM vol. 3, 24.8.3); null where bit 31 (valid) is 0. */
export function interruptionText(info: bigint): string | null {
  if (!bit(info, 31)) return null;
  const vector = Number(bits(info, 7, 0));
  const type = Number(bits(info, 10, 8));
  const name = type === 3 || type === 5 || type === 6 ? exceptionName(vector) : `vector ${vector}`;
  return `${INTERRUPTION_TYPES[type]} ${name}${bit(info, 11) ? ' with an error code' : ''}`;
}

/** `reason` is the 32-bit exit reason; `qualification` the exit qualification where it is known. */
export function explainVmxExit(reason: bigint, qualification: bigint | null = null): Explanation {
  const basic = Number(bits(reason, 15, 0));
  const name = VMX_EXIT_REASONS[basic];
  const failed = bit(reason, 31);
  const detail = qualification === null ? null : qualificationSummary(basic, qualification);
  const problems: string[] = [];
  if (name === undefined) problems.push(`Basic exit reason ${basic} is not in this table.`);
  if (failed && ![33, 34, 41].includes(basic) && name !== undefined)
    problems.push('Bit 31 says that the entry failed, but this reason belongs to exits of a running guest.');
  const extra = qualification === null ? undefined : QUALIFICATIONS[basic];
  const flags = extra ?? [];
  return {
    kind: 'vmx-exit',
    value: hex(reason),
    summary: [
      name ?? `reason ${basic}`,
      detail,
      failed && !name?.startsWith('VM entry') ? 'entry failed' : null,
    ]
      .filter((part) => part !== null)
      .join(' · '),
    fields: [
      ...explainFields(reason, REASON_FIELDS),
      ...(qualification === null ? [] : explainFields(qualification, prefixed(flags))),
    ],
    set: [
      ...setFlags(reason, REASON_FIELDS),
      ...(qualification === null ? [] : setFlags(qualification, flags)),
    ],
    problems,
  };
}
