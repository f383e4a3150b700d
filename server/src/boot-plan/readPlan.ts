/** From the tree of a text to the plan that it is, and the problems of what does not go together. */
import type { VmmChoice } from '../machine/language';
import type { Machine } from '../machine/machine';
import type { ObjectNode } from '../text/shape/node';
import { VMM_MODELS, vmmModel } from '../vmm/models';
import { CPUID_FEATURES, type CpuidFeatureName } from '../x86/cpuid/features';
import { readConfig, type NamedConfig, type PlanContext } from './config';
import { readBoot, readCaptured, readLinux, readLoads } from './contents';
import { readExpectations } from './expectations';
import { readPaging, type ReadPaging } from './paging';
import type { BootPlan, PlannedBytes, PlannedCpu, PlannedRun, PlannedVcpu } from './plan';
import type { PlanReader } from './reader';
import { readRegions } from './regions';
import { readTable, tableBytes, type PlannedTable } from './tables';
import { readVcpus } from './vcpus';

export interface ReadPlan {
  readonly plan: BootPlan;
  readonly gdt: PlannedTable | null;
  readonly idt: PlannedTable | null;
  readonly paging: ReadPaging | null;
  /** What the plan boots instead of a machine of its own. */
  readonly config: NamedConfig | null;
  /** Whether the plan names its VMM in a way that is known. */
  readonly namesVmm: boolean;
}

const DEFAULT_VMM = 'pc';

/** The VMM and version that the user chose, `context.choice`, count more than the plan's. */
export function readPlan(reader: PlanReader, root: ObjectNode, context: PlanContext): ReadPlan {
  const written = reader.text(root, 'vmm');
  const named = written && choiceOf(written.value);
  const choice = context.choice ?? named;
  const config = readConfig(reader, root, choice ? { ...context, choice } : context);
  const regions = readRegions(reader, root);
  const gdt = readTable(reader, root, 'gdt');
  const idt = readTable(reader, root, 'idt');
  const paging = readPaging(reader, root);
  const registers = readVcpus(reader, root, { gdt, idt, paging: paging?.paging ?? null });
  const captured = readCaptured(reader, root);
  const starts = reader.tables(root, 'vcpu').length > 0 || captured !== null;
  const memory = reader.number(root, 'memory');
  const plan: BootPlan = {
    name: reader.text(root, 'name')?.value || reader.source.name.replace(/\.boot$/, '') || 'boot plan',
    vmm: choice ?? vmmOf(config?.machine) ?? choiceOf(DEFAULT_VMM)!,
    start: starts && !config ? 'plan' : 'vmm',
    vcpus: vcpuCount(reader, root, registers),
    memory: memory && { value: memory.value, at: memory.at },
    cpu: readCpu(reader, root),
    boot: readBoot(reader, root),
    regions,
    loads: readLoads(reader, root),
    structures: [gdt, idt].flatMap((table) => (table ? [bytesOf(table)] : [])).concat(pagesOf(paging)),
    paging: paging?.paging ?? null,
    linux: readLinux(reader, root),
    captured,
    registers,
    run: readRun(reader, root),
    expectations: readExpectations(reader, root),
  };
  // Beside a config what has no effect is an error, and told.
  if (!config) unused(reader, root, plan);
  return { plan, gdt, idt, paging, config, namesVmm: named !== null };
}

function vmmOf(machine: Machine | null | undefined): VmmChoice | null {
  const { vmm = null, version = null } = machine ?? {};
  return vmm !== null && version !== null ? { vmm, version } : null;
}

/** `firecracker`, `firecracker@1.13`; null for one that is not known. */
function choiceOf(text: string): VmmChoice | null {
  const [name = '', id] = text.split('@', 2);
  const model = vmmModel(name);
  const version = id === undefined ? model?.versions.at(-1) : model?.versions.find((row) => row.id === id);
  return model && version ? { vmm: model.name, version: version.id } : null;
}

function vcpuCount(reader: PlanReader, root: ObjectNode, registers: readonly PlannedVcpu[]): number {
  const given = reader.integer(root, 'vcpus', 1, 1024);
  const needed = Math.max(1, ...registers.map(({ index }) => index + 1));
  if (!given) return needed;
  for (const { index, at } of registers) {
    if (index < given.value) continue;
    const start = reader.source.lines.offsetAt(at.range.start);
    reader.problem(
      'boot-plan-vcpu',
      { start, end: start + 1 },
      `This is vCPU ${index}, and the machine has ${given.value === 1 ? 'vCPU 0 only' : `vCPUs 0 to ${given.value - 1}`}.`,
      { related: [{ at: given.at, message: 'The number of vCPUs is here.' }] },
    );
  }
  return given.value;
}

function readCpu(reader: PlanReader, root: ObjectNode): PlannedCpu | null {
  const table = reader.table(root, 'cpu');
  if (!table) return null;
  const vendor = reader.word(table, 'vendor', ['intel', 'amd']);
  const list = reader.value(table, 'features');
  const names = (list?.kind === 'array' ? list.items : []).flatMap((item) =>
    item.kind === 'string' ? [item.value] : [],
  );
  const known = (sign: string): CpuidFeatureName[] =>
    names
      .filter((name) => name.startsWith(sign))
      .map((name) => name.slice(1) as CpuidFeatureName)
      .filter((name) => CPUID_FEATURES.has(name));
  const width = reader.integer(table, 'physical-width', 32, 52);
  return {
    vendor,
    added: known('+'),
    removed: known('-'),
    physicalWidth: width && { value: width.value, at: width.at },
  };
}

function readRun(reader: PlanReader, root: ObjectNode): PlannedRun {
  const table = reader.table(root, 'run');
  const whole = (key: string, least: number, most = Number.MAX_SAFE_INTEGER) => {
    const read = reader.integer(table, key, least, most);
    return read && { value: read.value, at: read.at };
  };
  const taps = reader.value(table, 'taps');
  const until = reader.text(table, 'until');
  return {
    maxInstructions: whole('max-instructions', 1),
    reboots: whole('reboots', 0, 1000),
    idleSeconds: whole('idle-seconds', 1, 1_000_000),
    taps: (taps?.kind === 'array' ? taps.items : []).flatMap((item) =>
      item.kind === 'integer' && item.value >= 0n && item.value <= 0xffffn ? [Number(item.value)] : [],
    ),
    until: until && { value: until.value, at: until.at },
  };
}

function bytesOf(table: PlannedTable): PlannedBytes {
  return { what: table.which, address: table.base, bytes: tableBytes(table), at: table.at };
}

/** Their bytes are made when they are read: a text is parsed at every key. */
function pagesOf(read: ReadPaging | null): PlannedBytes[] {
  return (read?.built.tables ?? []).map(({ range, bytes }) => ({
    what: 'page-tables',
    address: range.start,
    get bytes() {
      return bytes();
    },
    at: read!.paging.at,
  }));
}

const FILLED_BY_PLAN = ['gdt', 'idt', 'paging', 'map', 'load', 'linux'] as const;

/** What the way in which the guest is started leaves without effect. */
function unused(reader: PlanReader, root: ObjectNode, plan: BootPlan): void {
  const tell = (key: string, message: string, other?: string): void => {
    const member = reader.member(root, key);
    if (!member) return;
    const related = other === undefined ? null : reader.member(root, other);
    reader.problem('boot-plan-unused', member.key, message, {
      ...(related ? { related: [{ at: reader.at(related.key), message: 'This is why.' }] } : {}),
    });
  };
  if (plan.regions.length > 0) {
    tell(
      'memory',
      '`memory` is what a VMM lays out by its own rules, and this plan lists its regions itself: it has no effect.',
      'region',
    );
  }
  if (plan.start === 'plan') {
    const why = plan.captured ? 'captured' : 'vcpu';
    tell(
      'boot',
      `\`[boot]\` is what the VMM starts, and this plan starts the vCPUs itself: nothing in it has an effect. \`[[load]]\` puts images into memory.`,
      why,
    );
    return;
  }
  for (const key of FILLED_BY_PLAN) {
    tell(
      key,
      `No \`[[vcpu]]\` and no \`[captured]\` says how the guest starts, so ${VMM_MODELS.find(({ name }) => name === plan.vmm.vmm)!.title} starts it and fills its memory: \`${key}\` has no effect.`,
    );
  }
}
