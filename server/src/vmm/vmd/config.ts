/** What a vm.conf declares, read from its tree: switches and VMs, with instances resolved as vm_register does. */
import type { ImageReference } from '../../machine/machine';
import { fromText } from '../../machine/origin';
import type { SourceRange } from '../../text/position';
import type { Span } from './lexer';
import { memorySize, type MemorySize } from './memorySize';
import type { Syntax } from './parser';
import type { Statement, SwitchBlock, Text, VmBlock, VmOption } from './syntax';
import type { VmdVersion } from './versions';

export type OptionOf<K extends VmOption['kind']> = Extract<VmOption, { kind: K }>;

export interface SwitchConfig {
  readonly name: string;
  readonly block: SwitchBlock;
  /** A disabled switch is not registered: no interface can join it. */
  readonly enabled: boolean;
}

export interface VmConfig {
  readonly name: string;
  readonly block: VmBlock;
  /** The VM that it is an instance of, if that is declared before it. */
  readonly parent: VmConfig | null;
  /** Its own `memory` line, else its parent's. */
  readonly memory: { readonly size: MemorySize; readonly option: OptionOf<'memory'> } | null;
  readonly disks: readonly OptionOf<'disk'>[];
  readonly interfaces: readonly OptionOf<'interface'>[];
  readonly boot: OptionOf<'boot'> | null;
  readonly cdrom: OptionOf<'cdrom'> | null;
  readonly bootDevice: OptionOf<'boot-device'> | null;
  readonly enabled: boolean;
  /** An earlier VM has the name: vmd keeps that one and drops this. */
  readonly duplicateOf: VmConfig | null;
}

export interface VmdConfig {
  readonly version: VmdVersion;
  readonly syntax: Syntax;
  readonly switches: readonly SwitchConfig[];
  readonly vms: readonly VmConfig[];
}

/** Reads switches and VMs from the tree. Total: whatever was understood is in it. */
export function readConfig(syntax: Syntax, version: VmdVersion): VmdConfig {
  const switches: SwitchConfig[] = [];
  const vms: VmConfig[] = [];
  const byName = new Map<string, VmConfig>();
  for (const statement of syntax.statements) {
    if (statement.kind === 'switch') {
      const enabled = isEnabled(statement.options);
      switches.push({ name: statement.name.text, block: statement, enabled });
    }
    if (statement.kind === 'vm') {
      const vm = readVm(statement, version, byName);
      vms.push(vm);
      if (!vm.duplicateOf && isKnown(vm)) byName.set(vm.name, vm);
    }
  }
  return { version, syntax, switches, vms };
}

function readVm(block: VmBlock, version: VmdVersion, byName: ReadonlyMap<string, VmConfig>): VmConfig {
  const name = block.name.text;
  const parent = (block.parent && byName.get(block.parent.text)) || null;
  // A second `memory`, `boot` or `cdrom` is an error: the first one stands.
  const memory = firstOf(block, 'memory');
  return {
    name,
    block,
    parent,
    memory: memory
      ? { size: memorySize(memory.value, version.facts.maxMemory), option: memory }
      : (parent?.memory ?? null),
    disks: optionsOf(block, 'disk'),
    interfaces: optionsOf(block, 'interface'),
    boot: firstOf(block, 'boot') ?? null,
    cdrom: firstOf(block, 'cdrom') ?? parent?.cdrom ?? null,
    bootDevice: optionsOf(block, 'boot-device').at(-1) ?? null,
    enabled: isEnabled(block.options),
    duplicateOf: (block.name.known && byName.get(name)) || null,
  };
}

/** A name that comes out of an unknown macro, or is still to be typed, is the name of nobody else. */
function isKnown(vm: VmConfig): boolean {
  return vm.block.name.known && vm.name !== '';
}

export function optionsOf<K extends VmOption['kind']>(block: VmBlock, kind: K): OptionOf<K>[] {
  return block.options.filter((option): option is OptionOf<K> => option.kind === kind);
}

function firstOf<K extends VmOption['kind']>(block: VmBlock, kind: K): OptionOf<K> | undefined {
  return block.options.find((option): option is OptionOf<K> => option.kind === kind);
}

/** The last of `enable` and `disable` counts. */
function isEnabled(options: readonly { readonly kind: string }[]): boolean {
  return options.findLast(({ kind }) => kind === 'enable' || kind === 'disable')?.kind !== 'disable';
}

export function statementsOf<K extends Statement['kind']>(
  config: VmdConfig,
  kind: K,
): Extract<Statement, { kind: K }>[] {
  return config.syntax.statements.filter(
    (statement): statement is Extract<Statement, { kind: K }> => statement.kind === kind,
  );
}

export function sourceRange(span: Span): SourceRange {
  return span.source.at(span.start, span.end);
}

/** Files that a VM loads or attaches, in vmd's order. Those whose path is not known are left out. */
export function imagesOf(vm: VmConfig): ImageReference[] {
  const images: ImageReference[] = [];
  const add = (role: ImageReference['role'], path: Text | undefined): void => {
    if (path?.known) images.push({ role, path: path.text, origin: fromText(sourceRange(path)) });
  };
  // vmd tries the file as an ELF kernel first and as a BIOS image then: the name only hints at which.
  if (vm.boot) add(looksLikeFirmware(vm.boot.path.text) ? 'firmware' : 'kernel', vm.boot.path);
  for (const disk of vm.disks) add('disk', disk.path);
  add('cdrom', vm.cdrom?.path);
  return images;
}

function looksLikeFirmware(path: string): boolean {
  return /(?:bios|ovmf|firmware|\.rom$|\.fd$|vmm-bios)/i.test(path);
}
