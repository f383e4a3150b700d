/** Documents of a machine that is described in full, as a boot plan or a VMM's config gives it. */
import { BOOT_STATE_CHECKS } from '../../../server/src/checks/bootState/rows';
import { applies } from '../../../server/src/checks/check';
import { COMMAND_LINE_CHECKS } from '../../../server/src/checks/commandLine/rows';
import { LAYOUT_CHECKS } from '../../../server/src/checks/layout/rows';
import type {
  BootState,
  BootStructure,
  DescriptorTable,
  StructureKind,
} from '../../../server/src/machine/bootState';
import type { Document, LanguageKind } from '../../../server/src/machine/language';
import type { Machine, RegionKind, Setting } from '../../../server/src/machine/machine';
import type { Mapping } from '../../../server/src/machine/mapping';
import { fromText, type Origin } from '../../../server/src/machine/origin';
import type { Finding } from '../../../server/src/text/finding';
import type { SourceRange } from '../../../server/src/text/position';
import { SourceText } from '../../../server/src/text/sourceText';
import type { GuestState } from '../../../server/src/x86/entryChecks/guestState';
import { segmentsOf } from '../../../server/src/x86/state';

/** A hundred lines of ten characters: line n stands for the nth thing. */
export const SOURCE = new SourceText('file:///x.boot.toml', '.........\n'.repeat(100));
export const line = (n: number): SourceRange => SOURCE.at(n * 10, n * 10 + 9);
const onLine = (n: number): Origin => fromText(line(n));

export type RegionRow = readonly [start: bigint, end: bigint, kind: RegionKind, name?: string];

export interface Described {
  readonly language?: LanguageKind;
  readonly vmm?: string | null;
  readonly version?: string | null;
  /** On lines 10, 11, … */
  readonly regions?: readonly RegionRow[];
  readonly boot?: BootState;
  readonly settings?: Readonly<Record<string, Setting>>;
  readonly commandLine?: string;
  readonly kernel?: string;
}

export const RAM: readonly RegionRow[] = [
  [0n, 0x9f000n, 'ram', 'low memory'],
  [0x100000n, 0x8000000n, 'ram', 'high memory'],
];

export function documentOf(described: Described): Document {
  const { language = 'boot-plan', vmm = 'firecracker', version = '1.15', regions = RAM } = described;
  const { boot, settings = {}, commandLine, kernel } = described;
  const machine: Machine = {
    name: 'guest',
    vmm,
    version,
    memory: null,
    vcpus: { value: 1, origin: onLine(0) },
    regions: regions.map(([start, end, kind, name = kind], index) => ({
      range: { start, end },
      kind,
      name,
      permissions: null,
      reason: '',
      origin: onLine(10 + index),
      at: line(10 + index),
    })),
    images: kernel === undefined ? [] : [{ role: 'kernel', path: kernel, origin: onLine(1) }],
    settings: new Map(Object.entries(settings).map(([key, value]) => [key, { value, origin: onLine(2) }])),
    ...(commandLine === undefined ? {} : { commandLine: { value: commandLine, origin: onLine(3) } }),
    ...(boot ? { boot } : {}),
    at: line(0),
    nameAt: line(0),
  };
  return {
    source: SOURCE,
    language,
    choice: vmm === null || version === null ? null : { vmm, version },
    choiceReason: 'asked',
    machines: [machine],
    problems: [],
    outline: [],
    symbols: [],
    links: [],
    wanted: [],
    read: [SOURCE.uri],
  };
}

/** Of the rules on machines: those on the formats look at the whole document of a text. */
export function findings(described: Described): Finding[] {
  const document = documentOf(described);
  return [...LAYOUT_CHECKS, ...BOOT_STATE_CHECKS, ...COMMAND_LINE_CHECKS]
    .filter((check) => applies(check, document))
    .flatMap((check) =>
      [...(check.run?.(document) ?? [])].map((found) => ({
        severity: check.severity,
        ...found,
        code: check.code,
      })),
    );
}
export const codes = (described: Described): string[] => findings(described).map(({ code }) => code);

/** Long mode as Firecracker starts Linux: CR0 with PE, ET, NW, CD and PG. */
export const LONG: GuestState = {
  rip: 0x100000n,
  rflags: 2n,
  cr0: 0xe0000011n,
  cr3: 0x9000n,
  cr4: 0x20n,
  efer: 0x500n,
  segments: {
    ...segmentsOf(
      { selector: 8, base: 0n, limit: 0xffffffff, attributes: 0xa09b },
      { selector: 0x10, base: 0n, limit: 0xffffffff, attributes: 0xc093 },
    ),
    ldtr: { selector: 0, base: 0n, limit: 0xffff, attributes: 0x10082 },
    tr: { selector: 0, base: 0n, limit: 0xffff, attributes: 0x8b },
  },
  gdtr: { base: 0x500n, limit: 0x17 },
  idtr: { base: 0n, limit: 0 },
};

export const GDT = [0n, 0x00af9b000000ffffn, 0x00cf93000000ffffn] as const;

export interface Start {
  readonly state?: GuestState;
  readonly gdt?: readonly bigint[];
  /** `[kind, start, end]`, on lines 30, 31, … */
  readonly structures?: readonly (readonly [StructureKind, bigint, bigint])[];
  readonly mappings?: readonly Mapping[];
  readonly vmm?: boolean;
}

export function mapping(start: bigint, end: bigint, more: Partial<Mapping> = {}): Mapping {
  return {
    linear: { start, end },
    physical: start,
    pageSize: 0x200000n,
    writable: true,
    user: false,
    executable: true,
    origin: onLine(50),
    at: line(50),
    ...more,
  };
}

/** A start in long mode with the first GiB mapped; the GDT on line 20, the vCPU on line 40, CR0, CS and RIP on 41 to 43. */
export function startOf(start: Start = {}): BootState {
  const origin: Origin = start.vmm
    ? { kind: 'vmm', vmm: 'firecracker', version: '1.15', citation: 'a test' }
    : onLine(40);
  const { state = LONG, gdt = GDT, mappings = [mapping(0n, 1n << 30n)] } = start;
  const table: DescriptorTable = {
    which: 'gdt',
    base: 0x500n,
    limit: gdt.length * 8 - 1,
    entries: gdt.map((value, index) => ({ index, value, at: line(21 + index) })),
    origin,
    at: line(20),
  };
  return {
    method: 'boot plan',
    structures: (start.structures ?? []).map(([kind, from, to], index): BootStructure => ({
      kind,
      name: kind,
      range: { start: from, end: to },
      reason: '',
      origin,
      at: line(30 + index),
    })),
    tables: gdt.length === 0 ? [] : [table],
    mappings,
    vcpus: [
      {
        index: 0,
        state,
        registersAt: start.vmm
          ? new Map()
          : new Map([
              ['cr0', line(41)],
              ['cs', line(42)],
              ['rip', line(43)],
            ]),
        origin,
        at: start.vmm ? null : line(40),
      },
    ],
  };
}
