/** A boot plan with its files read: what memory there is, what lies in it, and what the registers hold. */
import { formatRange, hex } from '../address/format';
import { fromLength, intersection, type AddressRange } from '../address/range';
import { union } from '../address/intervals';
import type { SlotKind } from '../../emulator/face';
import type { BootPlan, PlannedLoad, PlannedVcpu, Written } from '../boot-plan/plan';
import type { CapturedState, CapturedVcpu, CaptureProblem } from '../machine/captured/capturedState';
import { isGuestDump, readQemuCore } from '../machine/captured/qemuCore';
import { parseRegisters } from '../machine/captured/registerText';
import { parseElf } from '../machine/image/elf';
import { HIGH_LOAD, parseLinuxImage, type LinuxImage } from '../machine/image/linuxImage';
import type { Region } from '../machine/machine';
import type { SourceRange } from '../text/position';
import { slotsOf } from '../vmm/backedMemory';
import { e820OfRegions } from '../vmm/e820';
import { addMachine, parametersPage } from '../vmm/loaders/linuxParameters';
import { capturedSlots } from './captureLoad';

type Slot = { readonly start: bigint; readonly end: bigint; readonly kind: SlotKind };

/** Bytes for guest memory; zeros follow them up to `size`. */
export interface PlannedPiece {
  /** `vmlinux`, `the GDT`. */
  readonly what: string;
  readonly address: bigint;
  readonly bytes: Uint8Array;
  readonly size: bigint;
}

/** Plain data that survives structured clone. */
export interface PlanContents {
  readonly slots: readonly Slot[];
  /** A later one is written over an earlier one. */
  readonly pieces: readonly PlannedPiece[];
  /** Of a capture, by index; the plan's own registers come on top of them. */
  readonly captured: readonly CapturedVcpu[];
  readonly registers: readonly PlannedVcpu[];
  /** What the run leaves out. */
  readonly notes: readonly string[];
}

export interface PlanProblem {
  readonly message: string;
  readonly at: SourceRange;
}

/** Bytes of the plan's files by their paths as written. */
export type PlanFiles = ReadonlyMap<string, Uint8Array>;

const OF_THE_VMM =
  'what the VMM itself puts into memory and registers before the first instruction: the boot plan does that';
const FOUR_GIB = 1n << 32n;
const NAMES = { gdt: 'the GDT', idt: 'the IDT', 'page-tables': 'the page tables' } as const;

/** The files that a plan needs, each with its place; the same path may come twice. */
export function filesOf(plan: BootPlan): Written<string>[] {
  const { captured, boot, loads } = plan;
  const named = [captured?.core, captured?.registers, boot?.kernel, boot?.firmware, boot?.initrd];
  return [
    ...named.flatMap((path) => path ?? []),
    ...loads.flatMap(({ content }) => (content.kind === 'file' ? [content.path] : [])),
  ];
}

/**
 * What the plan puts into memory and registers. Problems where a file is not what its kind says, or where something does not lie
 * in memory.
 * @param regions the guest's address space
 */
export function planContents(
  plan: BootPlan,
  regions: readonly Region[],
  files: PlanFiles,
): PlanContents | readonly PlanProblem[] {
  const problems: PlanProblem[] = [];
  const captured = capturedIn(plan, files);
  if (captured && 'message' in captured) problems.push(captured);
  const capture = captured && !('message' in captured) ? captured : null;
  const pieces: PlannedPiece[] = (capture?.memory ?? []).map(({ range, bytes }) => ({
    what: 'the captured memory',
    address: range.start,
    bytes,
    size: range.end - range.start,
  }));
  const backed = regions.filter(({ kind }) => kind !== 'mmio' && kind !== 'hole');
  const own = slotsOf(backed.map(asSlot));
  const slots = capture ? capturedSlots(capture, own) : own;
  const memory = union(slots.filter(({ kind }) => kind !== 'mmio'));
  const add = (list: readonly PlannedPiece[] | string, at: SourceRange): void => {
    if (typeof list === 'string') {
      problems.push({ message: list, at });
      return;
    }
    for (const piece of list) {
      const range = fromLength(piece.address, piece.size);
      const inside = memory.some(({ start, end }) => start <= range.start && range.end <= end);
      if (!inside)
        problems.push({
          message: `${piece.what} goes to ${formatRange(range)}, which is not all memory`,
          at,
        });
      else pieces.push(...clearing(piece, pieces), piece);
    }
  };
  for (const load of plan.loads) add(piecesOf(load, files), load.at);
  if (plan.linux) add(linuxPieces(plan, regions, files), plan.linux.at);
  for (const { what, address, bytes, at } of plan.structures) {
    add([{ what: NAMES[what], address, bytes, size: BigInt(bytes.length) }], at);
  }
  if (problems.length > 0) return problems;
  return {
    slots,
    pieces,
    captured: capture?.vcpus ?? [],
    registers: plan.registers,
    notes: [OF_THE_VMM, ...(capture?.notes ?? [])],
  };
}

/** Memory that may not be written is a ROM to the guest. */
function asSlot(region: Region): Region {
  return region.permissions !== null && !region.permissions.includes('w')
    ? { ...region, kind: 'rom' }
    : region;
}

/** Zeros behind the bytes of a piece where something was put before; elsewhere memory is zero. */
function clearing(
  { what, address, bytes, size }: PlannedPiece,
  earlier: readonly PlannedPiece[],
): PlannedPiece[] {
  const tail: AddressRange = { start: address + BigInt(bytes.length), end: address + size };
  return earlier.flatMap((piece) => {
    const shared = intersection(tail, fromLength(piece.address, BigInt(piece.bytes.length)));
    if (!shared) return [];
    const length = shared.end - shared.start;
    return [{ what, address: shared.start, bytes: new Uint8Array(Number(length)), size: length }];
  });
}

function capturedIn({ captured }: BootPlan, files: PlanFiles): CapturedState | PlanProblem | null {
  if (!captured) return null;
  const { core, registers } = captured;
  const problem = (path: Written<string>, { problem: text }: CaptureProblem): PlanProblem => ({
    message: `${path.value}: ${text}`,
    at: path.at,
  });
  const dump = core && readCore(fileAt(files, core.value));
  if (core && dump && 'problem' in dump) return problem(core, dump);
  const text = registers && parseRegisters(new TextDecoder().decode(fileAt(files, registers.value)));
  if (registers && text && 'problem' in text) return problem(registers, text);
  const state = dump && !('problem' in dump) ? dump : { vcpus: [], memory: [], notes: [] };
  return text && !('problem' in text) ? { ...state, vcpus: text.vcpus, notes: text.notes } : state;
}

function readCore(bytes: Uint8Array): CapturedState | CaptureProblem {
  return isGuestDump(bytes)
    ? readQemuCore(bytes)
    : { problem: 'it is no core that QEMU’s dump-guest-memory writes' };
}

/** Of a file that was not read nothing is known; whoever calls has told that. */
function fileAt(files: PlanFiles, path: string): Uint8Array {
  return files.get(path) ?? new Uint8Array();
}

function contentOf({ content }: PlannedLoad, files: PlanFiles): { name: string; bytes: Uint8Array } {
  return content.kind === 'file'
    ? { name: content.path.value, bytes: fileAt(files, content.path.value) }
    : { name: 'this load', bytes: content.bytes };
}

/** What a load puts where; a sentence where it cannot. */
function piecesOf(load: PlannedLoad, files: PlanFiles): PlannedPiece[] | string {
  const { name, bytes } = contentOf(load, files);
  const whole = (address: bigint | undefined, content = bytes): PlannedPiece[] | string =>
    address === undefined
      ? `${name} has no address`
      : [{ what: name, address, bytes: content, size: BigInt(content.length) }];
  const address = load.address?.value;
  switch (load.kind) {
    case 'elf': {
      const elf = parseElf(bytes);
      if ('problem' in elf) return `${name} is no ELF file to load: ${elf.problem}`;
      return elf.segments.map(({ index, physical, bytes: content, memorySize }) => ({
        what: `segment ${index} of ${name}`,
        address: physical,
        bytes: content,
        size: memorySize,
      }));
    }
    case 'bzimage': {
      const image = parseLinuxImage(bytes);
      return 'problem' in image
        ? `${name} is no bzImage to load: ${image.problem}`
        : whole(address ?? HIGH_LOAD, image.kernel);
    }
    case 'rom':
      if (address === undefined && BigInt(bytes.length) > FOUR_GIB / 2n)
        return `${name} has ${hex(bytes.length)} bytes, too many for a ROM`;
      return whole(address ?? FOUR_GIB - BigInt(bytes.length));
    case 'command-line':
      return whole(address, bytes.at(-1) === 0 ? bytes : Uint8Array.of(...bytes, 0));
    case 'initrd':
    case 'flat':
      return whole(address);
  }
}

/** `boot_params`, for what is loaded: kernel, initrd and command line, and the regions as the memory map. */
function linuxPieces(
  { linux, loads }: BootPlan,
  regions: readonly Region[],
  files: PlanFiles,
): PlannedPiece[] | string {
  const last = (...kinds: readonly PlannedLoad['kind'][]) =>
    loads.findLast(({ kind }) => kinds.includes(kind));
  const kernel = last('bzimage');
  const image: LinuxImage | ReturnType<typeof parseLinuxImage> | null = kernel
    ? parseLinuxImage(contentOf(kernel, files).bytes)
    : null;
  // What is wrong with the kernel is told where it is loaded.
  if (image && 'problem' in image) return [];
  const initrd = last('initrd');
  const page = parametersPage(image, {
    commandLine: last('command-line')?.address?.value ?? 0n,
    initrd: initrd?.address
      ? { start: initrd.address.value, size: contentOf(initrd, files).bytes.length }
      : null,
    entry:
      image?.entryOffset == null ? 0n : (kernel?.address?.value ?? HIGH_LOAD) + BigInt(image.entryOffset),
  });
  const wrong = addMachine(page, { memoryMap: e820OfRegions(regions), rsdp: null });
  if (wrong) return wrong.problem;
  const address = linux!.bootParameters.value;
  return [{ what: 'boot_params', address, bytes: page, size: BigInt(page.length) }];
}
