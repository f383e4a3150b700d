/** Hover on a boot plan: what a key or word means, and what a register or descriptor comes to. */
import { hex } from '../address/format';
import { shownMachines, type Description, type Document } from '../machine/language';
import { vmmLabel } from '../machine/machine';
import type { TableEntry } from '../machine/bootState';
import { explanationText } from '../text/explanationText';
import { codeSpan } from '../text/markdownText';
import { containsPosition, type Position, type SourceRange } from '../text/position';
import { describeAt, describeMember } from '../text/shape/describe';
import { keyShape } from '../text/shape/resolve';
import type { Explanation } from '../x86/bitField';
import { descriptorKind, explainDescriptor, SYSTEM_TYPES } from '../x86/descriptor';
import { explain } from '../x86/explain';
import { selectorText } from '../x86/selectors';
import { SEGMENTS, type SegmentName, type SegmentState } from '../x86/state';
import { isBootPlan, type BootPlanDocument } from './document';
import { BOOT_PLAN } from './keys/plan';
import type { PlannedVcpu } from './plan';

export function describe(document: Document, position: Position): Description | null {
  if (!isBootPlan(document)) return null;
  const offset = document.source.lines.offsetAt(position);
  const described = describeAt(document.tree, BOOT_PLAN, offset);
  const header = described ? null : headerAt(document, position);
  const decoded = decodedAt(document, position);
  const sections = [
    described?.markdown ?? header?.markdown,
    configAt(document, position),
    decoded && explanationText(decoded),
  ].filter((section) => section !== undefined && section !== null);
  if (sections.length === 0) return null;
  const range = described
    ? document.source.lines.rangeAt(described.span.start, described.span.end)
    : (header?.range ?? { start: position, end: position });
  return { range, markdown: sections.join('\n\n---\n\n') };
}

/** The second and later headers of an array of tables: only the first one is a key of the tree. */
function headerAt({ tree, source }: BootPlanDocument, { line }: Position): Description | null {
  for (const { key, value } of tree.members) {
    if (value?.kind !== 'array') continue;
    const item = value.items.find(
      (candidate) => candidate.kind === 'object' && source.lines.positionAt(candidate.start).line === line,
    );
    const found = item && source.text[item.start] === '[' ? keyShape(BOOT_PLAN, tree, key.text) : null;
    if (!item || !found?.member) continue;
    const end = source.lines.lineText(line).length;
    return {
      range: { start: { line, character: 0 }, end: { line, character: end } },
      markdown: describeMember(key.text, found.member),
    };
  }
  return null;
}

const MOST_NAMES = 20;

/** What the config is read as, where the position is in its path. */
function configAt({ config }: BootPlanDocument, position: Position): string | null {
  if (!config?.document || !containsPosition(config.path.at.range, position)) return null;
  const { document, machine } = config;
  const label = machine && vmmLabel(machine);
  const names = shownMachines(document).map(({ name }) => codeSpan(name));
  const listed = names.slice(0, MOST_NAMES).join(', ') + (names.length > MOST_NAMES ? ', …' : '');
  const read = `Read as ${codeSpan(document.language)}, ${names.length > 0 ? `with the machines ${listed}` : 'without a machine'}.`;
  return label ? `${read} ${codeSpan(machine.name)} is booted under ${codeSpan(label)}.` : read;
}

/** The value of the register or descriptor in whose value the position is. */
function decodedAt(document: BootPlanDocument, position: Position): Explanation | null {
  const { plan, gdt, idt } = document;
  const here = (at: SourceRange | null) => at !== null && containsPosition(at.range, position);
  for (const table of [gdt, idt]) {
    const entries = table?.entries.filter(({ at }) => here(at)) ?? [];
    if (entries.length > 0) return descriptorOf(entries);
  }
  for (const vcpu of plan.registers) {
    if (!here(vcpu.at)) continue;
    for (const [name, at] of vcpu.places) {
      if (here(at) && at !== plan.paging?.at) return registerOf(vcpu, name);
    }
  }
  return null;
}

function descriptorOf([low, high]: readonly TableEntry[]): Explanation {
  return explainDescriptor(low!.value, high?.value ?? null);
}

const DECODED: ReadonlySet<string> = new Set(['cr0', 'cr4', 'efer', 'rflags']);

function registerOf(vcpu: PlannedVcpu, name: string): Explanation | null {
  const segment = (SEGMENTS as readonly string[]).includes(name)
    ? vcpu.segments[name as SegmentName]
    : undefined;
  if (segment) return segmentOf(name, segment);
  const value = vcpu.control[name as keyof PlannedVcpu['control']];
  if (!DECODED.has(name) || value === undefined) return null;
  const explanation = explain(name, [hex(value)]);
  return 'problem' in explanation ? null : explanation;
}

const FIELDS: readonly (readonly [string, number, number])[] = [
  ['type', 3, 0],
  ['S', 4, 4],
  ['DPL', 6, 5],
  ['P', 7, 7],
  ['AVL', 12, 12],
  ['L', 13, 13],
  ['D/B', 14, 14],
  ['G', 15, 15],
  ['unusable', 16, 16],
];

/** The hidden part, as the plan loads it. */
function segmentOf(name: string, { selector, base, limit, attributes }: SegmentState): Explanation {
  const part = (high: number, low: number) => (attributes >> low) & ((1 << (high - low + 1)) - 1);
  return {
    kind: name,
    value: hex(selector),
    summary: `${selectorText(selector)} · base ${hex(base)} · last offset ${hex(limit)} · attributes ${hex(attributes)}`,
    fields: FIELDS.map(([field, high, low]) => ({
      name: field,
      bits: high === low ? String(low) : `${high}:${low}`,
      value: hex(part(high, low)),
      meaning: field === 'type' ? typeText(attributes) : bitText(part(high, low), high === low),
    })),
    set: [],
    problems: [],
  };
}

function bitText(value: number, single: boolean): string {
  if (!single) return `level ${value}`;
  return value === 0 ? 'clear' : 'set';
}

function typeText(attributes: number): string {
  const word = BigInt(attributes & 0xf0ff) << 40n;
  const kind = descriptorKind(word);
  return kind === 'system' || kind === 'gate' ? SYSTEM_TYPES[attributes & 15]!.legacy : kind;
}
