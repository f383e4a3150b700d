/** `[expect]`: each value becomes one expectation with its own place. */
import { hex } from '../address/format';
import { OUTCOMES, type Outcome } from '../machine/outcome';
import type { ConfigNode, ObjectNode } from '../text/shape/node';
import { EXCEPTIONS } from '../x86/exceptions';
import { GENERAL_REGISTERS, SEGMENTS, type CpuMode } from '../x86/state';
import { EXIT_PATTERN } from './keys/runs';
import { BIT_REGISTERS, DEBUG_REGISTERS } from './keys/vcpus';
import { isNumber, parseExit } from './exitPattern';
import type { Bounds, EventField, ExitPattern, Expectation, ExpectedRegister, Written } from './plan';
import type { PlanReader } from './reader';

const MODES: readonly CpuMode[] = ['real', 'v86', 'protected-16', 'protected-32', 'compatibility', 'long'];
const ALL = (1n << 64n) - 1n;
const MOST_VCPU = 1023;

/** An expectation without place and text. */
type Bare = Expectation extends infer E ? (E extends unknown ? Omit<E, 'at' | 'text'> : never) : never;

class ExpectationReader {
  readonly found: Expectation[] = [];

  constructor(
    readonly reader: PlanReader,
    readonly table: ObjectNode,
  ) {}

  add(node: ConfigNode, text: string, bare: Bare): void {
    this.found.push({ at: this.reader.at(node), text, ...bare });
  }

  /** The value, or each of a list. */
  each(key: string): readonly ConfigNode[] {
    const value = this.reader.value(this.table, key);
    if (!value) return [];
    return value.kind === 'array' ? value.items : [value];
  }

  strings(key: string): readonly { readonly node: ConfigNode; readonly value: string }[] {
    return this.each(key).flatMap((node) => (node.kind === 'string' ? [{ node, value: node.value }] : []));
  }
}

/** In the order of the text. */
export function readExpectations(reader: PlanReader, root: ObjectNode): Expectation[] {
  const table = reader.table(root, 'expect');
  if (!table) return [];
  const into = new ExpectationReader(reader, table);
  outcomes(into);
  texts(into);
  faults(into);
  exits(into);
  timeline(into);
  perVcpu(into, table, 0);
  for (const node of reader.tables(table, 'vcpu')) {
    const index = reader.integer(node, 'index', 0, MOST_VCPU);
    if (index) perVcpu(into, node, index.value);
  }
  const place = ({ at }: Expectation) => reader.source.lines.offsetAt(at.range.start);
  return into.found.sort((a, b) => place(a) - place(b));
}

function outcomes(into: ExpectationReader): void {
  const value = into.reader.value(into.table, 'outcome');
  const named = into
    .strings('outcome')
    .flatMap(({ value }) => OUTCOMES.filter((outcome): outcome is Outcome => outcome === value));
  if (value && named.length > 0) {
    into.add(value, `the outcome is ${named.join(' or ')}`, { kind: 'outcome', outcomes: named });
  }
  const status = into.reader.integer(into.table, 'exit-status', 0, 255);
  if (status) {
    const node = into.reader.value(into.table, 'exit-status')!;
    into.add(node, `the exit status is ${status.value}`, { kind: 'exit-status', status: status.value });
  }
  const most = into.reader.integer(into.table, 'max-instructions', 1, Number.MAX_SAFE_INTEGER);
  if (most) {
    const node = into.reader.value(into.table, 'max-instructions')!;
    into.add(node, `${most.value} instructions at most`, { kind: 'max-instructions', most: most.value });
  }
  for (const { node, value } of into.strings('mode')) {
    const mode = MODES.find((name) => name === value);
    if (mode) into.add(node, `a vCPU is in ${mode} mode`, { kind: 'mode-reached', mode });
  }
}

const TEXTS = [
  { key: 'console', kind: 'console', absent: false, where: 'the console has' },
  { key: 'console-without', kind: 'console', absent: true, where: 'the console has not' },
  { key: 'firmware-log', kind: 'firmware-log', absent: false, where: 'the firmware log has' },
  { key: 'firmware-log-without', kind: 'firmware-log', absent: true, where: 'the firmware log has not' },
] as const;

function texts(into: ExpectationReader): void {
  for (const { key, kind, absent, where } of TEXTS) {
    for (const { node, value } of into.strings(key)) {
      if (value === '') {
        into.reader.problem(
          'boot-plan-expectation',
          node,
          `The text is empty, and every text has it: this ${absent ? 'can never hold' : 'says nothing'}.`,
        );
      } else into.add(node, `${where} ${JSON.stringify(value)}`, { kind, contains: value, absent });
    }
  }
}

function vectorOf(node: ConfigNode): number | null {
  if (node.kind === 'integer') return node.value >= 0n && node.value < 32n ? Number(node.value) : null;
  if (node.kind !== 'string') return null;
  return EXCEPTIONS.find(({ mnemonic }) => mnemonic === node.value)?.vector ?? null;
}

function faults(into: ExpectationReader): void {
  const { reader, table } = into;
  const none = reader.value(table, 'no-fault');
  if (none?.kind === 'boolean' && none.value) into.add(none, 'no exception is raised', { kind: 'no-fault' });
  const chain = reader.value(table, 'fault-chain');
  if (chain?.kind !== 'array') return;
  const vectors = chain.items.map(vectorOf);
  if (vectors.includes(null)) return;
  const names = chain.items.map((item) =>
    item.kind === 'string' ? item.value : `vector ${String((item as { value: bigint }).value)}`,
  );
  into.add(chain, `the run ends with the faults ${names.join(', ') || 'of an empty chain'}`, {
    kind: 'fault-chain',
    vectors: vectors as number[],
  });
}

function noExit(
  into: ExpectationReader,
  at: ConfigNode | { start: number; end: number },
  text: string,
): void {
  into.reader.problem(
    'boot-plan-expectation',
    at,
    `\`${text.slice(0, 60).replace(/[`\r\n]/g, ' ')}\` is no exit: write one like \`OUT 0x3f8\`, \`IN 0x64\`, \`MMIO write 0xfee00300\`, \`HLT\` or \`OUT 0x64 = 0xfe\`.`,
  );
}

function exits(into: ExpectationReader): void {
  const { reader, table } = into;
  const list = reader.value(table, 'exits');
  if (list?.kind === 'array') {
    const patterns: Written<ExitPattern>[] = [];
    for (const item of list.items) {
      if (item.kind !== 'string') continue;
      const pattern = parseExit(item.value);
      if (pattern) patterns.push({ value: pattern, at: reader.at(item) });
      // Another form is told by the table of keys.
      else if (EXIT_PATTERN.test(item.value)) noExit(into, item, item.value);
    }
    if (patterns.length > 0) {
      const text = `exits in this order: ${patterns.map(({ value }) => value.text).join(', ')}`;
      into.add(list, text, { kind: 'exits-in-order', exits: patterns });
    }
  }
  for (const { key, value } of reader.table(table, 'exit-counts')?.members ?? []) {
    const exit = parseExit(key.text);
    if (!exit || exit.value !== null) {
      noExit(into, key, key.text);
      continue;
    }
    const count = value && boundsOf(into, value);
    if (value && count) into.add(value, countText(exit, count), { kind: 'exit-count', exit, count });
  }
}

function boundsOf(into: ExpectationReader, node: ConfigNode): Bounds | null {
  if (node.kind === 'integer') {
    const count = Number(node.value);
    return count >= 0 ? { least: count, most: count } : null;
  }
  if (node.kind !== 'object') return null;
  const least = into.reader.integer(node, 'least', 0, Number.MAX_SAFE_INTEGER)?.value ?? 0;
  const most = into.reader.integer(node, 'most', 0, Number.MAX_SAFE_INTEGER)?.value ?? Infinity;
  if (least <= most) return { least, most };
  into.reader.problem('boot-plan-expectation', node, `No count is ${least} at least and ${most} at most.`);
  return null;
}

function countText({ text }: ExitPattern, { least, most }: Bounds): string {
  if (least === most) return `${text} comes ${least === 1 ? 'once' : `${least} times`}`;
  if (most === Infinity) return `${text} comes ${least} times at least`;
  return `${text} comes ${least} to ${most} times`;
}

/** Fields whose numbers are names too, and the names of fields in a BootReport. */
const FIELD_NAMES: Readonly<Record<string, string>> = { 'error-code': 'errorCode' };

function timeline(into: ExpectationReader): void {
  const list = into.reader.value(into.table, 'timeline');
  if (list?.kind !== 'array') return;
  for (const item of list.items) {
    if (item.kind !== 'object') continue;
    const event = into.reader.text(item, 'event')?.value;
    if (event === undefined) continue;
    const fields = new Map<string, EventField>();
    for (const { key, value } of item.members) {
      if (!value || key.text === 'event') continue;
      const read = fieldOf(into.reader, event, key.text, value);
      if (read !== null) fields.set(FIELD_NAMES[key.text] ?? key.text, read);
    }
    const shown = [...fields].map(
      ([name, value]) => ` ${name} ${typeof value === 'bigint' ? hex(value) : value}`,
    );
    into.add(item, `the event ${event}${shown.join(',')}`, { kind: 'event', event, fields });
  }
}

function fieldOf(reader: PlanReader, event: string, key: string, node: ConfigNode): EventField | null {
  if (event === 'exception' && key === 'vector') {
    const vector = vectorOf(node);
    return vector === null ? null : BigInt(vector);
  }
  if (node.kind === 'integer') return node.value;
  if (node.kind !== 'string') return null;
  return isNumber(node.value) ? (reader.numberOf(node)?.value ?? null) : node.value;
}

function perVcpu(into: ExpectationReader, table: ObjectNode, vcpu: number): void {
  const { reader } = into;
  const mode = reader.word(table, 'final-mode', MODES);
  if (mode) {
    const node = reader.value(table, 'final-mode')!;
    into.add(node, `vCPU ${vcpu} ends in ${mode} mode`, { kind: 'mode-at-end', mode, vcpu });
  }
  for (const { key, value } of reader.table(table, 'registers')?.members ?? []) {
    if (!value) continue;
    for (const register of registersOf(reader, key.text, value)) {
      const text = `${register.name} of vCPU ${vcpu} is ${hex(register.value)}${register.mask === ALL ? '' : ` in the bits ${hex(register.mask)}`}`;
      into.add(value, text, { kind: 'register', vcpu, register });
    }
  }
}

const PARTS = ['selector', 'base', 'limit', 'attributes'] as const;
const NAMES: ReadonlySet<string> = new Set([
  'rip',
  'cr2',
  'cr3',
  'cr8',
  ...GENERAL_REGISTERS,
  ...DEBUG_REGISTERS,
]);

function registersOf(reader: PlanReader, name: string, node: ConfigNode): ExpectedRegister[] {
  if (Object.hasOwn(BIT_REGISTERS, name)) {
    if (node.kind === 'array') return [bitsOf(name, node.items)];
  } else if ((SEGMENTS as readonly string[]).includes(name) || name === 'gdtr' || name === 'idtr') {
    if (node.kind === 'object') {
      return PARTS.flatMap((part) => {
        const read = reader.number(node, part);
        return read ? [{ name: `${name}.${part}`, value: read.value, mask: ALL }] : [];
      });
    }
    return node.kind === 'integer' && node.value >= 0n
      ? [{ name: `${name}.selector`, value: node.value, mask: ALL }]
      : [];
  } else if (!NAMES.has(name)) return [];
  const read = reader.numberOf(node);
  return read ? [{ name, value: read.value, mask: ALL }] : [];
}

/** `["PE", "!PG"]`: only the named bits matter. */
function bitsOf(name: string, items: readonly ConfigNode[]): ExpectedRegister {
  let [value, mask] = [0n, 0n];
  for (const item of items) {
    if (item.kind !== 'string') continue;
    const clear = item.value.startsWith('!');
    const word = clear ? item.value.slice(1) : item.value;
    const field = BIT_REGISTERS[name]!.find((row) => row.name === word && row.high === row.low);
    if (!field) continue;
    mask |= 1n << BigInt(field.low);
    if (!clear) value |= 1n << BigInt(field.low);
  }
  return { name, value, mask };
}
