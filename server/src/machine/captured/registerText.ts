/** Registers as text: what QEMU's monitor prints for `info registers`, and the `registers` objects of `simulate --format json`. */
import {
  GENERAL_REGISTERS,
  NO_REGISTERS,
  RESET_DEBUG_REGISTERS,
  RESET_LDTR,
  RESET_TR,
  SEGMENTS,
  type SegmentName,
  type SegmentState,
  type VcpuState,
} from '../../x86/state';
import {
  segmentOf,
  taskSegmentOf,
  tooManyVcpus,
  type CapturedVcpu,
  type CaptureProblem,
} from './capturedState';

export interface CapturedRegisters {
  readonly vcpus: readonly CapturedVcpu[];
  /** Registers that the text does not have, with what was taken for them. */
  readonly notes: readonly string[];
}

/** Without these nothing can be started. */
const NEEDED = ['rip', 'cr0', 'cr3', 'cr4'] as const;
const CONTROL = ['rflags', 'cr0', 'cr2', 'cr3', 'cr4', 'cr8', 'efer'] as const;

export function parseRegisters(text: string): CapturedRegisters | CaptureProblem {
  const clean = text.replace(CONTROLS, '');
  const vcpus = /^\s*[[{]/.test(clean) ? fromJson(clean) : fromQemu(clean);
  if ('problem' in vcpus) return vcpus;
  const many = tooManyVcpus(vcpus.list.length);
  if (many) return many;
  const missing = vcpus.list.flatMap(({ missing: names }, index) =>
    names.length > 0 ? [`vCPU ${index}: ${names.join(', ')}`] : [],
  );
  const notes = [
    ...(missing.length > 0
      ? [`registers that the text does not have, taken as after RESET: ${missing.join('; ')}`]
      : []),
    'MSRs, x87, SSE and AVX registers, local APICs, interrupt controllers, timers and all other devices: they are as after RESET',
  ];
  return { vcpus: vcpus.list, notes };
}

interface ReadVcpu extends CapturedVcpu {
  readonly missing: readonly string[];
}

/** The monitor echoes with the cursor sequences of a terminal. */
// eslint-disable-next-line no-control-regex
const CONTROLS = /\x1b\[[0-9;]*[A-Za-z]|\r/g;

const NAME_OF: Readonly<Record<string, string>> = {
  EIP: 'rip',
  RIP: 'rip',
  RFL: 'rflags',
  EFL: 'rflags',
  ...Object.fromEntries(GENERAL_REGISTERS.map((name) => [name.toUpperCase(), name])),
  ...Object.fromEntries(
    GENERAL_REGISTERS.filter((name) => !/\d/.test(name)).map((name) => [
      `E${name.slice(1).toUpperCase()}`,
      name,
    ]),
  ),
};
const SEGMENT_OF: Readonly<Record<string, SegmentName>> = {
  ...Object.fromEntries(SEGMENTS.map((name) => [name.toUpperCase(), name])),
  LDT: 'ldtr',
};
/** `RAX=0000000000000030`, `R8 =0`, `CR0=80000011`, `EFER=0000000000000500`, `HLT=1`. */
const VALUE = /\b([A-Z][A-Z0-9]{1,4}) ?=([0-9a-f]{1,16})\b(?! [0-9a-f]{8})/g;
/** `CS =0008 0000000000000000 ffffffff 00af9a00`, and the tables without selector and rights. */
const SEGMENT = /^\s*(ES|CS|SS|DS|FS|GS|LDT|TR) ?=([0-9a-f]{4}) ([0-9a-f]{8,16}) ([0-9a-f]{8}) ([0-9a-f]{8})/;
const TABLE = /^\s*(GDT|IDT) ?=\s*([0-9a-f]{8,16}) ([0-9a-f]{8})/;

function fromQemu(text: string): { list: readonly ReadVcpu[] } | CaptureProblem {
  const blocks = text.split(/^.*CPU#\d+.*$/m).filter((block) => /\b[RE]IP=/.test(block));
  if (blocks.length === 0) {
    return {
      problem:
        'the registers are neither JSON nor what QEMU prints for `info registers`: there is no RIP= or EIP=',
    };
  }
  const list: ReadVcpu[] = [];
  for (const [index, block] of blocks.entries()) {
    const values = new Map<string, bigint>();
    const segments = new Map<SegmentName, SegmentState>();
    for (const line of block.split('\n')) {
      const number = (digits: string | undefined) => BigInt(`0x${digits ?? '0'}`);
      const segment = SEGMENT.exec(line);
      const table = TABLE.exec(line);
      if (segment) {
        const [, name = '', selector, base, limit, flags] = segment;
        segments.set(
          SEGMENT_OF[name]!,
          (name === 'TR' ? taskSegmentOf : segmentOf)(
            Number(number(selector)),
            number(base),
            Number(number(limit)),
            Number(number(flags)),
          ),
        );
      } else if (table) {
        const [, name = '', base, limit] = table;
        values.set(`${name.toLowerCase()}r.base`, number(base));
        values.set(`${name.toLowerCase()}r.limit`, number(limit));
      } else {
        for (const [, name = '', digits] of line.matchAll(VALUE)) {
          values.set(NAME_OF[name] ?? name.toLowerCase(), number(digits));
        }
      }
    }
    const read = build(values, segments, `CPU#${index}`);
    if ('problem' in read) return read;
    list.push(
      values.get('hlt') === 1n && read.activity === 'running' ? { ...read, activity: 'halted' } : read,
    );
  }
  return { list };
}

/** A report of `simulate`, its `vcpus`, one element of them, or the `registers` of one. */
function fromJson(text: string): { list: readonly ReadVcpu[] } | CaptureProblem {
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch (error) {
    return { problem: `the registers are no JSON: ${(error as Error).message}` };
  }
  const outer = record(data);
  const vcpus = Array.isArray(data) ? data : Array.isArray(outer?.vcpus) ? outer.vcpus : [data];
  const list: ReadVcpu[] = [];
  for (const [index, vcpu] of vcpus.entries()) {
    const registers = record(record(vcpu)?.registers) ?? record(vcpu);
    if (!registers) return { problem: `vCPU ${index} of the registers is no object` };
    const read = fromObject(registers, `vCPU ${index}`);
    if ('problem' in read) return read;
    list.push(read);
  }
  return list.length > 0 ? { list } : { problem: 'the registers have no vCPU' };
}

function fromObject(registers: Record<string, unknown>, title: string): ReadVcpu | CaptureProblem {
  const values = new Map<string, bigint>();
  const segments = new Map<SegmentName, SegmentState>();
  for (const [name, value] of Object.entries(registers)) {
    const inner = record(value);
    if (!inner) {
      const number = hexNumber(value);
      if (number === null) return { problem: `${title}: ${name} is ${JSON.stringify(value)}, no hex string` };
      values.set(name, number);
      continue;
    }
    const fields = Object.fromEntries(Object.entries(inner).map(([key, field]) => [key, hexNumber(field)]));
    const wrong = Object.entries(fields).find(([, field]) => field === null);
    if (wrong) return { problem: `${title}: ${name}.${wrong[0]} is no hex string` };
    const { selector, base, limit, attributes } = fields;
    if (SEGMENTS.includes(name as SegmentName)) {
      if (selector == null || base == null || limit == null || attributes == null) {
        return { problem: `${title}: ${name} needs selector, base, limit and attributes` };
      }
      segments.set(name as SegmentName, {
        selector: Number(selector),
        base,
        limit: Number(limit),
        attributes: Number(attributes),
      });
    } else {
      for (const [key, field] of Object.entries(fields))
        if (field !== null) values.set(`${name}.${key}`, field);
    }
  }
  return build(values, segments, title);
}

function record(value: unknown): Record<string, unknown> | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : null;
}

function hexNumber(value: unknown): bigint | null {
  return typeof value === 'string' && /^0x[0-9a-f]{1,16}$/i.test(value) ? BigInt(value) : null;
}

const RESET_SEGMENT: SegmentState = { selector: 0, base: 0n, limit: 0xffff, attributes: 0x93 };
const RESET_SYSTEM: Readonly<Partial<Record<SegmentName, SegmentState>>> = { ldtr: RESET_LDTR, tr: RESET_TR };

function build(
  values: ReadonlyMap<string, bigint>,
  segments: ReadonlyMap<SegmentName, SegmentState>,
  title: string,
): ReadVcpu | CaptureProblem {
  const lacking: string[] = NEEDED.filter((name) => !values.has(name));
  if (!segments.has('cs')) lacking.push('cs with its base, limit and attributes');
  if (lacking.length > 0) return { problem: `${title} of the registers lacks ${lacking.join(', ')}` };
  const missing: string[] = [];
  const value = (name: string, otherwise = 0n) => {
    const found = values.get(name);
    if (found === undefined) missing.push(name);
    return found ?? otherwise;
  };
  const general = { ...NO_REGISTERS };
  const wide = values.has('r8');
  for (const name of GENERAL_REGISTERS) {
    // A 32-bit text has eight registers, which is no gap.
    if (wide || !/\d/.test(name)) general[name] = value(name);
  }
  const control = Object.fromEntries(
    CONTROL.map((name) => [name, value(name, name === 'rflags' ? 2n : 0n)]),
  ) as Record<(typeof CONTROL)[number], bigint>;
  const table = (name: 'gdtr' | 'idtr') => ({
    base: value(`${name}.base`),
    limit: Number(value(`${name}.limit`, 0xffffn)),
  });
  const state: VcpuState = {
    general,
    rip: value('rip'),
    ...control,
    rflags: control.rflags | 2n,
    segments: Object.fromEntries(
      SEGMENTS.map((name) => {
        const segment = segments.get(name);
        if (!segment) missing.push(name);
        return [name, segment ?? RESET_SYSTEM[name] ?? RESET_SEGMENT];
      }),
    ) as Record<SegmentName, SegmentState>,
    gdtr: table('gdtr'),
    idtr: table('idtr'),
    dr: RESET_DEBUG_REGISTERS.map((reset, index) => values.get(`dr${index}`) ?? reset),
  };
  const waits = state.rip === 0xfff0n && (state.cr0 & 1n) === 0n && title !== 'CPU#0' && title !== 'vCPU 0';
  return { state, activity: waits ? 'wait-for-sipi' : 'running', missing };
}
