/** `[cpu]`, `[run]` and `[expect]`. */
import { OUTCOMES, type ExitKind, type Outcome } from '../../machine/outcome';
import type { Member, ObjectShape, Shape, StringValue, VariantShape } from '../../text/shape/shape';
import { CPUID_FEATURES } from '../../x86/cpuid/features';
import { EXCEPTIONS } from '../../x86/exceptions';
import type { CpuMode } from '../../x86/state';
import { array, BOOLEAN, integer, NUMBER, oneOf, STRING } from './values';
import { EXPECTED_REGISTERS } from './vcpus';

export const CPU: ObjectShape = {
  kind: 'object',
  others: 'refused',
  members: {
    vendor: {
      shape: oneOf([
        { value: 'intel', text: 'Intel’s rules where the two differ.' },
        { value: 'amd', text: 'AMD’s rules where the two differ.' },
      ]),
      text: 'Whose CPU it is. Without it the model’s own.',
      example: '"intel"',
    },
    features: {
      shape: array(
        oneOf(
          [...CPUID_FEATURES].flatMap(([name, { title }]) => [
            { value: `+${name}`, text: `The CPU has ${name}: ${title}.` },
            { value: `-${name}`, text: `The CPU lacks ${name}: ${title}.` },
          ]),
        ),
      ),
      text: 'CPUID features beside those of the model (`+LA57`), and without some of them (`-x2APIC`).',
      example: '["+LA57"]',
    },
    'physical-width': {
      shape: { kind: 'integer', least: 32n, most: 52n, unit: 'bits' },
      text: 'MAXPHYADDR: how many bits a physical address has. Address bits above it are reserved in page tables.',
      default: 'the model’s own',
      example: '39',
    },
  },
};

const whole = (text: string, least = 0n, most = BigInt(Number.MAX_SAFE_INTEGER)): Member => ({
  shape: integer(least, most),
  text,
});

export const RUN: ObjectShape = {
  kind: 'object',
  others: 'refused',
  members: {
    'max-instructions': {
      ...whole('Where the run ends with the outcome `budget`.', 1n),
      default: '2000000000',
      example: '1000000',
    },
    reboots: { ...whole('How many resets the run goes through before it ends.', 0n, 1000n), default: '0' },
    'idle-seconds': {
      ...whole(
        'After so many seconds of guest time a guest that only waits is idle, and the run ends.',
        1n,
        1_000_000n,
      ),
      default: '30',
    },
    taps: {
      shape: array(integer(0n, 0xffffn)),
      text: 'Ports whose text is kept in the firmware log, although the VMM has nothing there.',
      example: '[0x402]',
    },
    until: {
      shape: STRING,
      text: 'Ends the run with the outcome `expectation-met` when the guest has written this.',
      example: '"login:"',
    },
  },
};

const OUTCOME_TEXTS: Readonly<Record<Outcome, string>> = {
  halted: 'All vCPUs are halted and nothing would wake them.',
  shutdown: 'The guest powered off.',
  reset: 'The guest asked for a reset.',
  'triple-fault': 'A fault in the delivery of a double fault.',
  'guest-panic': 'The guest told of its own panic.',
  'host-panic': 'The host’s kernel panics.',
  'vmm-exit': 'The VMM gives up on the guest.',
  'expectation-met': 'All that is expected and can be seen on the way has come, or the text of `until`.',
  budget: 'The run came to its limit of instructions or memory.',
  'invalid-entry': 'The initial state fails the VM-entry checks.',
  cancelled: 'Somebody stopped the run.',
};

const MODES: Readonly<Record<CpuMode, string>> = {
  real: 'Real-address mode: CR0.PE is 0.',
  v86: 'Virtual-8086 mode.',
  'protected-16': 'Protected mode with a 16-bit CS.',
  'protected-32': 'Protected mode with a 32-bit CS.',
  compatibility: 'IA-32e mode with CS.L = 0.',
  long: '64-bit mode: IA-32e mode with CS.L = 1.',
};
const MODE_VALUES = oneOf(Object.entries(MODES).map(([value, text]) => ({ value, text })));

const oneOrMore = (of: Shape): Shape => ({ kind: 'either', of: [of, array(of, 1)] });

const VECTORS: readonly StringValue[] = EXCEPTIONS.map(({ vector, mnemonic, name }) => ({
  value: mnemonic,
  text: `Vector ${vector}: ${name}.`,
}));

/** How an exit is written; `parseExit` reads it. */
export const EXIT_PATTERN =
  /^\s*(?:(?:IN|OUT|MMIO read|MMIO write|CPUID|RDMSR|WRMSR)(?:\s+[0-9]\w*)?|HLT|shutdown)(?:\s*=\s*[0-9]\w*)?\s*$/;
const EXIT: Shape = {
  kind: 'string',
  pattern: EXIT_PATTERN,
  expected: 'an exit like `OUT 0x3f8`, `IN 0x64`, `MMIO write 0xfee00300`, `HLT` or `OUT 0x64 = 0xfe`',
};

const COUNT: Shape = {
  kind: 'either',
  of: [
    integer(0n, BigInt(Number.MAX_SAFE_INTEGER)),
    {
      kind: 'object',
      others: 'refused',
      members: {
        least: { ...whole('So often at least.'), default: '0' },
        most: whole('So often at most.'),
      },
    },
  ],
};

const hexOrName = (text: string): Member => ({ shape: NUMBER, text });

/** Fields of a timeline event, by its name; a field that is left out may be anything. */
const EVENTS: Readonly<
  Record<string, { readonly text: string; readonly fields: Readonly<Record<string, Member>> }>
> = {
  mode: {
    text: 'The CPU’s mode or its paging changed.',
    fields: {
      from: { shape: MODE_VALUES, text: 'The mode before.' },
      to: { shape: MODE_VALUES, text: 'The mode after.' },
      paging: { shape: STRING, text: 'How linear addresses are translated after it.' },
      rip: hexOrName('Where.'),
    },
  },
  'cr-write': {
    text: 'A control register changed.',
    fields: {
      register: { shape: STRING, text: 'Its name.' },
      value: hexOrName('Its new value.'),
      previous: hexOrName('Its value before.'),
      rip: hexOrName('Where.'),
    },
  },
  'msr-write': {
    text: 'WRMSR.',
    fields: { index: hexOrName('Which MSR.'), value: hexOrName('Its new value.'), rip: hexOrName('Where.') },
  },
  'table-load': {
    text: 'LGDT, LIDT, LLDT or LTR.',
    fields: {
      table: {
        shape: oneOf(['gdtr', 'idtr', 'ldtr', 'tr'].map((value) => ({ value, text: value.toUpperCase() }))),
        text: 'Which.',
      },
      selector: hexOrName('Of LDTR and TR.'),
      base: hexOrName('Its base.'),
      limit: hexOrName('Its limit.'),
      rip: hexOrName('Where.'),
    },
  },
  exception: {
    text: 'An exception was raised.',
    fields: {
      vector: { shape: { kind: 'either', of: [oneOf(VECTORS), integer(0n, 31n)] }, text: 'Which.' },
      'error-code': hexOrName('Its error code.'),
      cr2: hexOrName('CR2 of a page fault.'),
      rip: hexOrName('Where.'),
    },
  },
  interrupt: {
    text: 'An interrupt was taken.',
    fields: {
      vector: { shape: integer(0n, 255n), text: 'Which.' },
      source: {
        shape: oneOf(['pic', 'apic', 'nmi', 'software'].map((value) => ({ value, text: value }))),
        text: 'Where it came from.',
      },
    },
  },
  ipi: { text: 'A write to ICR.', fields: { icr: hexOrName('Its value.'), rip: hexOrName('Where.') } },
  init: { text: 'An INIT arrived.', fields: {} },
  sipi: {
    text: 'A start-up IPI arrived.',
    fields: { vector: { shape: integer(0n, 255n), text: 'Its vector.' } },
  },
  halt: { text: 'HLT.', fields: { rip: hexOrName('Where.') } },
};

const EVENT: VariantShape = {
  kind: 'variant',
  by: 'event',
  common: {
    kind: 'object',
    others: 'refused',
    members: {
      event: {
        shape: oneOf(Object.entries(EVENTS).map(([value, { text }]) => ({ value, text }))),
        required: true,
        text: 'What happened.',
        example: '"mode"',
      },
      vcpu: { shape: integer(0n, 1023n), text: 'On which vCPU.' },
    },
  },
  variants: Object.fromEntries(Object.entries(EVENTS).map(([name, { fields }]) => [name, fields])),
};

const text = (what: string): Member => ({ shape: oneOrMore(STRING), text: what, example: '"login:"' });

const PER_VCPU: Readonly<Record<string, Member>> = {
  'final-mode': { shape: MODE_VALUES, text: 'The mode at the end of the run.', example: '"long"' },
  registers: {
    shape: EXPECTED_REGISTERS,
    text: 'Registers at the end of the run.',
    example: '{ rip = 0x1000 }',
  },
};

export const EXPECT: ObjectShape = {
  kind: 'object',
  others: 'refused',
  members: {
    outcome: {
      shape: oneOrMore(oneOf(OUTCOMES.map((value) => ({ value, text: OUTCOME_TEXTS[value] })))),
      text: 'How the run ends; a list names all that are right.',
      example: '"halted"',
    },
    'exit-status': {
      shape: integer(0n, 255n),
      text: 'What the guest told the host at its end (a debug exit port), or the VMM’s own exit status.',
    },
    mode: {
      shape: oneOrMore(MODE_VALUES),
      text: 'A mode that a vCPU is in at some time of the run; of a list each.',
      example: '"long"',
    },
    console: text('Text that the console has; of a list each.'),
    'console-without': text('Text that the console has not; of a list none.'),
    'firmware-log': text(
      'Text that the firmware log has (`taps` of `[run]`, debug ports of the VMM); of a list each.',
    ),
    'firmware-log-without': text('Text that the firmware log has not; of a list none.'),
    'no-fault': {
      shape: BOOLEAN,
      text: '`true`: no exception is raised on any vCPU, not even one that the guest handles.',
      example: 'true',
    },
    'fault-chain': {
      shape: array({ kind: 'either', of: [oneOf(VECTORS), integer(0n, 31n)] }),
      text: 'The exceptions with which the run ends, first fault first.',
      example: '["#GP"]',
    },
    exits: {
      shape: array(EXIT, 1),
      text: 'Exits in this order; others may come between. `= VALUE` is what was written or answered.',
      example: '["OUT 0x3f8"]',
    },
    'exit-counts': {
      shape: { kind: 'names', of: COUNT, what: 'an exit' },
      text: 'How often an exit comes: a number, or `{ least, most }`. Without an address all of the kind.',
      example: '{ "HLT" = 1 }',
    },
    'max-instructions': {
      ...whole('The run needs so many instructions at most.', 1n),
      example: '1000000',
    },
    timeline: {
      shape: array(EVENT, 1),
      text: 'Events that the timeline has, each with the fields that matter.',
      example: '[{ event = "mode", to = "long" }]',
    },
    ...PER_VCPU,
    vcpu: {
      shape: array({
        kind: 'object',
        others: 'refused',
        members: {
          index: { shape: integer(0n, 1023n), required: true, text: 'Which vCPU.', example: '1' },
          ...PER_VCPU,
        },
      }),
      text: 'The same for other vCPUs than number 0, as `[[expect.vcpu]]`.',
    },
  },
};

/** Words of `exits`, by kind, in the writing of docs/boot-plan.md. */
export const EXIT_WORDS: Readonly<Record<ExitKind, string>> = {
  in: 'IN',
  out: 'OUT',
  'mmio-read': 'MMIO read',
  'mmio-write': 'MMIO write',
  hlt: 'HLT',
  cpuid: 'CPUID',
  rdmsr: 'RDMSR',
  wrmsr: 'WRMSR',
  shutdown: 'shutdown',
};
