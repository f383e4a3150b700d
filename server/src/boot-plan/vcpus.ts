/** Registers of a plan's vCPUs. What a plan leaves out is as after RESET (SDM vol. 3, Table 9-1). */
import { hex } from '../address/format';
import type { SourceRange } from '../text/position';
import type { ConfigNode, ObjectNode } from '../text/shape/node';
import {
  GENERAL_REGISTERS,
  NO_REGISTERS,
  RESET_DEBUG_REGISTERS,
  segmentsOf,
  SEGMENTS,
  type GeneralRegister,
  type SegmentName,
  type SegmentState,
  type TableRegister,
  type VcpuState,
} from '../x86/state';
import { BIT_REGISTERS, DEBUG_REGISTERS } from './keys/vcpus';
import type { PlannedPaging, PlannedVcpu } from './plan';
import type { PlanReader } from './reader';
import { loadSegment } from './segmentLoad';
import type { PlannedTable } from './tables';

export interface Tables {
  readonly gdt: PlannedTable | null;
  readonly idt: PlannedTable | null;
  readonly paging: PlannedPaging | null;
}

type Control = PlannedVcpu['control'];
const PLAIN_CONTROL = ['rip', 'cr2', 'cr3', 'cr8'] as const;
const BIT_CONTROL = ['rflags', 'cr0', 'cr4', 'efer'] as const;
const ACTIVITIES = ['running', 'halted', 'wait-for-sipi'] as const;
const FIXED_FLAG = 2n;
const LMA = 1n << 10n;
const MOST_VCPUS = 1024;

export function readVcpus(reader: PlanReader, root: ObjectNode, tables: Tables): PlannedVcpu[] {
  const found = new Map<number, PlannedVcpu>();
  let next = 0;
  for (const node of reader.tables(root, 'vcpu')) {
    const given = reader.integer(node, 'index', 0, MOST_VCPUS - 1);
    const index = given?.value ?? next;
    next = index + 1;
    const first = found.get(index);
    if (first) {
      reader.problem(
        'boot-plan-vcpu',
        given?.node ?? { start: node.start, end: Math.min(node.start + 1, node.end) },
        `vCPU ${index} stands twice: its registers can be said once only.`,
        { related: [{ at: first.at, message: 'The first one is here.' }] },
      );
      continue;
    }
    found.set(index, vcpuOf(reader, node, index, tables));
  }
  return [...found.values()].sort((a, b) => a.index - b.index);
}

function vcpuOf(reader: PlanReader, node: ObjectNode, index: number, tables: Tables): PlannedVcpu {
  const places = new Map<string, SourceRange>();
  const note = (name: string, at: SourceRange | undefined) => at && places.set(name, at);
  const general: Partial<Record<GeneralRegister, bigint>> = {};
  for (const name of GENERAL_REGISTERS) {
    const read = reader.number(node, name);
    if (read) general[name] = read.value;
    note(name, read?.at);
  }
  const control: { -readonly [name in keyof Control]: bigint } = {};
  for (const name of PLAIN_CONTROL) {
    const read = reader.number(node, name);
    if (read) control[name] = read.value;
    note(name, read?.at);
  }
  for (const name of BIT_CONTROL) {
    const value = reader.value(node, name);
    const read = value && reader.bits(value, BIT_REGISTERS[name]!);
    if (!value || !read) continue;
    control[name] = name === 'rflags' && value.kind === 'array' ? read.value | FIXED_FLAG : read.value;
    note(name, read.at);
  }
  if (control.cr3 === undefined && tables.paging) {
    control.cr3 = tables.paging.root;
    note('cr3', tables.paging.at);
  }
  const debug: Record<number, bigint> = {};
  for (const name of DEBUG_REGISTERS) {
    const read = reader.number(node, name);
    if (read) debug[Number(name[2])] = read.value;
    note(name, read?.at);
  }
  const segments: Partial<Record<SegmentName, SegmentState>> = {};
  const wide = ((control.efer ?? 0n) & LMA) !== 0n;
  for (const name of SEGMENTS) {
    const value = reader.value(node, name);
    const segment = value && segmentOf(reader, name, value, tables.gdt, wide);
    if (!segment) continue;
    segments[name] = segment;
    note(name, reader.at(value));
  }
  const gdtr = tableRegister(reader, node, 'gdtr', tables.gdt);
  const idtr = tableRegister(reader, node, 'idtr', tables.idt);
  note('gdtr', gdtr?.at);
  note('idtr', idtr?.at);
  return {
    index,
    general,
    control,
    segments,
    ...(gdtr ? { gdtr: gdtr.value } : {}),
    ...(idtr ? { idtr: idtr.value } : {}),
    debug,
    msrs: msrsOf(reader, node),
    activity: reader.word(node, 'activity', ACTIVITIES) ?? 'running',
    at: reader.at(node),
    places,
  };
}

function segmentOf(
  reader: PlanReader,
  name: SegmentName,
  node: ConfigNode,
  gdt: PlannedTable | null,
  wide: boolean,
): SegmentState | null {
  const table = node.kind === 'object' ? node : null;
  const selector = table
    ? (reader.integer(table, 'selector', 0, 0xffff)?.value ?? 0)
    : node.kind === 'integer' && node.value >= 0n && node.value <= 0xffffn
      ? Number(node.value)
      : null;
  if (selector === null) return null;
  const base = reader.number(table, 'base');
  const limit = reader.integer(table, 'limit', 0, 0xffffffff);
  const attributes = reader.integer(table, 'attributes', 0, 0x1ffff);
  if (base && limit && attributes) {
    return { selector, base: base.value, limit: limit.value, attributes: attributes.value };
  }
  const loaded = gdt
    ? loadSegment(name, selector, gdt, wide)
    : selector < 4 && name !== 'cs' && name !== 'tr'
      ? loadSegment(name, selector, { words: [0n], limit: 7 }, wide)
      : {
          problem: `\`${name} = ${hex(selector)}\` is to be loaded from the GDT, and the plan has no \`[gdt]\`: give \`base\`, \`limit\` and \`attributes\` too`,
        };
  if ('problem' in loaded) {
    reader.problem('boot-plan-selector', node, `${loaded.problem}.`, {
      ...(gdt ? { related: [{ at: gdt.at, message: 'The GDT is here.' }] } : {}),
    });
    return null;
  }
  // Parts that are given count more than the descriptor's.
  return {
    selector,
    base: base?.value ?? loaded.segment.base,
    limit: limit?.value ?? loaded.segment.limit,
    attributes: attributes?.value ?? loaded.segment.attributes,
  };
}

function tableRegister(
  reader: PlanReader,
  node: ObjectNode,
  key: 'gdtr' | 'idtr',
  table: PlannedTable | null,
): { readonly value: TableRegister; readonly at: SourceRange } | null {
  const given = reader.table(node, key);
  const base = reader.number(given, 'base');
  const limit = reader.integer(given, 'limit', 0, 0xffff);
  if (!given && !table) return null;
  return {
    value: { base: base?.value ?? table?.base ?? 0n, limit: limit?.value ?? table?.limit ?? 0xffff },
    at: given ? reader.at(given) : table!.at,
  };
}

function msrsOf(reader: PlanReader, node: ObjectNode): ReadonlyMap<number, bigint> {
  const msrs = new Map<number, bigint>();
  const table = reader.table(node, 'msrs');
  for (const { key, value, duplicateOf } of table?.members ?? []) {
    const index = /^(?:0x[0-9a-fA-F]{1,8}|[0-9]{1,10})$/.test(key.text) ? Number(key.text) : NaN;
    if (!(index <= 0xffffffff)) {
      const message = `\`${key.text.slice(0, 40)}\` is no index of an MSR: write it as "0x277" or "631".`;
      reader.problem('boot-plan-number', key, message);
      continue;
    }
    const read = value && !duplicateOf ? reader.numberOf(value) : null;
    if (read) msrs.set(index, read.value);
  }
  return msrs;
}

const RESET_CODE: SegmentState = { selector: 0xf000, base: 0xffff0000n, limit: 0xffff, attributes: 0x9b };
const RESET_DATA: SegmentState = { selector: 0, base: 0n, limit: 0xffff, attributes: 0x93 };

/** A vCPU after RESET (SDM vol. 3, Table 9-1). RDX, which has the CPU’s signature then, is 0 here. */
export const RESET_STATE: VcpuState = {
  general: NO_REGISTERS,
  rip: 0xfff0n,
  rflags: FIXED_FLAG,
  cr0: 0x60000010n,
  cr2: 0n,
  cr3: 0n,
  cr4: 0n,
  cr8: 0n,
  efer: 0n,
  segments: segmentsOf(RESET_CODE, RESET_DATA),
  gdtr: { base: 0n, limit: 0xffff },
  idtr: { base: 0n, limit: 0xffff },
  dr: RESET_DEBUG_REGISTERS,
};

/** The whole state of a vCPU: what the plan says over `before`, which is that after RESET. */
export function stateOf(vcpu: PlannedVcpu, before: VcpuState = RESET_STATE): VcpuState {
  return {
    ...before,
    ...vcpu.control,
    general: { ...before.general, ...vcpu.general },
    segments: { ...before.segments, ...vcpu.segments },
    gdtr: vcpu.gdtr ?? before.gdtr,
    idtr: vcpu.idtr ?? before.idtr,
    dr: before.dr.map((value, index) => vcpu.debug[index] ?? value),
  };
}
