/** The machine that a plan describes, for pictures, layout checks and crash mapping. */
import { hex } from '../address/format';
import { fromLength, PAGE } from '../address/range';
import type {
  BootState,
  BootStructure,
  DescriptorTable,
  InitialVcpu,
  StructureKind,
} from '../machine/bootState';
import { CPU_SETTINGS } from '../machine/cpuSettings';
import type { GuestDescription, ImageReference, Machine, Region, Setting } from '../machine/machine';
import { sortRegions } from '../machine/machine';
import type { Mapping } from '../machine/mapping';
import { fromText, type Fact } from '../machine/origin';
import type { SourceRange } from '../text/position';
import { vmmModel } from '../vmm/models';
import type { BootPlan, LoadKind, PlannedLoad, Written } from './plan';
import type { ReadPaging } from './paging';
import type { ReadPlan } from './readPlan';
import { tableTitle, type PlannedTable } from './tables';
import { stateOf } from './vcpus';

export interface PlanPlaces {
  /** The whole text. */
  readonly all: SourceRange;
  /** The plan’s name, or its first character. */
  readonly name: SourceRange;
}

/** Null where the plan names a config that gives none. */
export function machineOf(read: ReadPlan, places: PlanPlaces): Machine | null {
  const { plan, config } = read;
  if (config) return config.machine && machineOfConfig(config.machine, plan, places);
  const guest: GuestDescription = {
    name: plan.name,
    memory: plan.regions.length > 0 ? null : fact(plan.memory),
    vcpus: { value: plan.vcpus, origin: fromText(places.name) },
    images: imagesOf(plan),
    ...(plan.start === 'vmm' && plan.boot?.commandLine ? { commandLine: fact(plan.boot.commandLine)! } : {}),
    ...settingsOf(plan, places),
    at: places.all,
    nameAt: places.name,
  };
  const regions = plan.regions.length > 0 ? sortRegions(plan.regions.map(regionOf)) : layOut(plan, guest);
  const boot = plan.start === 'plan' && !plan.captured ? bootOf(read) : null;
  return {
    ...guest,
    vmm: plan.vmm.vmm,
    version: plan.vmm.version,
    regions,
    ...(boot ? { boot, mappings: boot.mappings } : {}),
  };
}

/** As the config has it, with the plan's command line in the place of the config's. */
function machineOfConfig(machine: Machine, { boot }: BootPlan, places: PlanPlaces): Machine {
  const commandLine = boot?.commandLine ? { commandLine: fact(boot.commandLine)! } : {};
  return { ...machine, ...commandLine, at: places.all, nameAt: places.name };
}

/** What checks look at of the CPU. */
function settingsOf({ cpu }: BootPlan, places: PlanPlaces): Pick<GuestDescription, 'settings'> {
  if (!cpu) return {};
  const settings = new Map<string, Fact<Setting>>();
  if (cpu.vendor) settings.set(CPU_SETTINGS.vendor, { value: cpu.vendor, origin: fromText(places.name) });
  const { physicalWidth: width } = cpu;
  if (width)
    settings.set(CPU_SETTINGS.physicalWidth, { value: BigInt(width.value), origin: fromText(width.at) });
  return { settings };
}

function fact<T>(written: Written<T> | null): Fact<T> | null {
  return written && { value: written.value, origin: fromText(written.at) };
}

function layOut({ vmm, memory }: BootPlan, guest: GuestDescription): readonly Region[] {
  return memory ? (vmmModel(vmm.vmm)?.layOut(guest, vmm.version) ?? []) : [];
}

function regionOf({ range, kind, name, permissions, at }: BootPlan['regions'][number]): Region {
  return {
    range,
    kind,
    name,
    permissions,
    reason: 'The boot plan lists it.',
    origin: fromText(at),
    at,
  };
}

const ROLES = ['kernel', 'firmware', 'initrd'] as const;
const LOAD_ROLES: Readonly<Partial<Record<LoadKind, ImageReference['role']>>> = {
  elf: 'kernel',
  bzimage: 'kernel',
  rom: 'firmware',
  initrd: 'initrd',
};

function imagesOf(plan: BootPlan): ImageReference[] {
  if (plan.start === 'vmm') {
    return ROLES.flatMap((role) => {
      const path = plan.boot?.[role];
      return path ? [{ role, path: path.value, origin: fromText(path.at) }] : [];
    });
  }
  return plan.loads.flatMap(({ kind, content }) => {
    const role = LOAD_ROLES[kind];
    return role && content.kind === 'file'
      ? [{ role, path: content.path.value, origin: fromText(content.path.at) }]
      : [];
  });
}

/** As the VMCS numbers them (SDM vol. 3C, “Guest Non-Register State”). */
const ACTIVITIES = { running: 0, halted: 1, 'wait-for-sipi': 3 } as const;

function bootOf({ plan, gdt, idt, paging }: ReadPlan): BootState {
  const tables = [gdt, idt].flatMap((table) => (table ? [table] : []));
  return {
    method: 'boot plan',
    structures: [
      ...tables.filter(({ words }) => words.length > 0).map(tableStructure),
      ...(paging ? pageTableStructures(paging) : []),
      ...plan.loads.flatMap(loadStructure),
      ...linuxStructure(plan),
    ],
    tables: tables.map(descriptorTable),
    mappings: paging ? mappingsOf(paging) : [],
    vcpus: plan.registers.map((vcpu): InitialVcpu => ({
      index: vcpu.index,
      state: { ...stateOf(vcpu), activity: ACTIVITIES[vcpu.activity] },
      registersAt: vcpu.places,
      origin: fromText(vcpu.at),
      at: vcpu.at,
    })),
  };
}

function tableStructure(table: PlannedTable): BootStructure {
  return structure(table.which, table.which.toUpperCase(), table.base, 8 * table.words.length, table.at, {
    reason: `${tableTitle(table)}: the boot plan writes it.`,
  });
}

function structure(
  kind: StructureKind,
  name: string,
  start: bigint,
  length: number | bigint,
  at: SourceRange,
  { reason }: { readonly reason: string },
): BootStructure {
  return { kind, name, range: fromLength(start, BigInt(length)), reason, origin: fromText(at), at };
}

function descriptorTable({ which, base, limit, entries, at }: PlannedTable): DescriptorTable {
  return { which, base, limit, entries, origin: fromText(at), at };
}

function pageTableStructures({ built, paging }: ReadPaging): BootStructure[] {
  return built.tables.map(({ name, range }) => ({
    kind: 'page-tables',
    name,
    range,
    reason: `A table of the plan’s ${paging.mode} paging.`,
    origin: fromText(paging.at),
    at: paging.at,
  }));
}

const STRUCTURES: Readonly<Record<LoadKind, StructureKind>> = {
  elf: 'kernel',
  bzimage: 'kernel',
  rom: 'firmware',
  flat: 'image',
  initrd: 'initrd',
  'command-line': 'command-line',
};

/** Of files the size is not known while a plan is read. */
function loadStructure({ kind, content, address, at }: PlannedLoad): BootStructure[] {
  if (content.kind !== 'bytes' || !address || content.bytes.length === 0) return [];
  const name = kind === 'flat' ? 'loaded bytes' : kind.replace('-', ' ');
  return [
    structure(STRUCTURES[kind], name, address.value, content.bytes.length, at, {
      reason: `The boot plan loads ${content.bytes.length} bytes at ${hex(address.value)}.`,
    }),
  ];
}

function linuxStructure({ linux }: BootPlan): BootStructure[] {
  if (!linux) return [];
  const { bootParameters } = linux;
  return [
    structure('boot-parameters', 'boot_params', bootParameters.value, PAGE, bootParameters.at, {
      reason: 'Linux’s boot parameters take a page.',
    }),
  ];
}

function mappingsOf({ paging, built }: ReadPaging): Mapping[] {
  return paging.mappings
    .map((mapping): Mapping => {
      const above = built.readOnlyAbove(mapping);
      const origin = fromText(mapping.at);
      return {
        linear: mapping.linear,
        physical: mapping.physical,
        pageSize: mapping.page,
        ...mapping.leaf,
        ...(above ? { readOnlyAbove: { ...above, origin } } : {}),
        origin,
        at: mapping.at,
      };
    })
    .sort((a, b) => (a.linear.start < b.linear.start ? -1 : a.linear.start > b.linear.start ? 1 : 0));
}
