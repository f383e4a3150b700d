/**
 * ELF cores of QEMU's `dump-guest-memory` for x86 guests: memory by physical address, and for each vCPU a note named QEMU
 * with the registers (QEMU, target/i386/arch_dump.c, QEMUCPUState version 1; dump/dump.c for the file).
 */
import { formatRange, hex } from '../../address/format';
import { isElf } from '../image/elf';
import type { GeneralRegister, SegmentName, SegmentState, VcpuState } from '../../x86/state';
import {
  RESET_DEBUG_REGISTERS,
  segmentOf,
  taskSegmentOf,
  ZERO_REGISTERS,
  type CapturedMemory,
  type CapturedState,
  type CapturedVcpu,
  type CaptureProblem,
} from './capturedState';
import { inferEfer } from './inferredEfer';

const ET_CORE = 4;
const EM_386 = 3;
const EM_X86_64 = 62;
const PT_LOAD = 1;
const PT_NOTE = 4;
/** `e_phnum` where the number is `sh_info` of section 0 (gABI, PN_XNUM). */
const PN_XNUM = 0xffff;
/** Physical addresses have 52 bits at most (SDM vol. 3, 4.1.4). */
const PHYSICAL_END = 1n << 52n;
/** QEMU writes about ten; each becomes a slot of the emulator. */
const MOST_PIECES = 1000;
const STATE_VERSION = 1;
/** Of version 1 without the fields that were added at its end. */
const STATE_SIZE = 432;
const GENERAL: readonly GeneralRegister[] = [
  'rax',
  'rbx',
  'rcx',
  'rdx',
  'rsi',
  'rdi',
  'rsp',
  'rbp',
  'r8',
  'r9',
  'r10',
  'r11',
  'r12',
  'r13',
  'r14',
  'r15',
];
const SEGMENT_ORDER: readonly SegmentName[] = ['cs', 'ds', 'es', 'fs', 'gs', 'ss', 'ldtr', 'tr'];
const SEGMENT_SIZE = 24;
const SEGMENTS_AT = 8 + 18 * 8;
const CONTROL_AT = SEGMENTS_AT + 10 * SEGMENT_SIZE;

/** Formats that hold the same in another way, by their first bytes. */
const OTHER_FORMATS: readonly { readonly magic: string; readonly sentence: string }[] = [
  {
    magic: 'KDUMP   ',
    sentence:
      'it is a kdump-compressed dump, which is not read; make one with `dump-guest-memory FILE` without -z, -l, -s and -R',
  },
  {
    magic: 'makedumpfile',
    sentence:
      'it is a flattened kdump-compressed dump, which is not read; make one with `dump-guest-memory FILE`',
  },
  {
    magic: 'PAGEDU64',
    sentence:
      'it is a Windows crash dump, which is not read; make one with `dump-guest-memory FILE` without -w',
  },
];

/** True for a core, and for the other formats that QEMU's command writes, which get a sentence. */
export function isGuestDump(bytes: Uint8Array): boolean {
  return (
    otherFormat(bytes) !== null ||
    (isElf(bytes) && bytes.length >= 18 && bytes[16] === ET_CORE && bytes[17] === 0)
  );
}

function otherFormat(bytes: Uint8Array): string | null {
  const start = new TextDecoder('latin1').decode(bytes.subarray(0, 16));
  return OTHER_FORMATS.find(({ magic }) => start.startsWith(magic))?.sentence ?? null;
}

/** Reads a dump. Every field that lies gives a problem that names it. */
export function readQemuCore(bytes: Uint8Array): CapturedState | CaptureProblem {
  const other = otherFormat(bytes);
  if (other !== null) return { problem: other };
  const layout = layoutOf(bytes);
  if ('problem' in layout) return layout;
  const headers = programHeaders(bytes, layout);
  if ('problem' in headers) return headers;
  const loads = headers.list.filter(({ type }) => type === PT_LOAD);
  const memory = memoryOf(bytes, loads);
  if ('problem' in memory) return memory;
  const states = headers.list
    .filter(({ type }) => type === PT_NOTE)
    .flatMap(({ index, offset, fileSize }) => qemuNotes(bytes, index, offset, fileSize));
  const wrong = states.find((state): state is CaptureProblem => 'problem' in state);
  if (wrong) return wrong;
  const notes = states as readonly DataView[];
  if (notes.length === 0) {
    return {
      problem: 'it has no note named QEMU: it is the core of another program, without the state of vCPUs',
    };
  }
  const long = layout.machine === EM_X86_64;
  const vcpus = notes.map((note, index) => vcpuOf(note, index, long, memory.list));
  return { vcpus, memory: memory.list, notes: gaps(vcpus, memory.list) };
}

interface Layout {
  readonly view: DataView;
  readonly wide: boolean;
  readonly machine: number;
}

function layoutOf(bytes: Uint8Array): Layout | CaptureProblem {
  if (!isElf(bytes)) return { problem: 'the file does not start with 0x7f "ELF"' };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 64) return { problem: `the file has ${bytes.length} bytes, fewer than an ELF header` };
  const wide = bytes[4] === 2;
  if (!wide && bytes[4] !== 1) {
    return { problem: `EI_CLASS is ${bytes[4]!}, neither 1 (32-bit) nor 2 (64-bit)` };
  }
  if (bytes[5] !== 1) return { problem: `EI_DATA is ${bytes[5]!}, not 1 (little endian)` };
  const machine = view.getUint16(18, true);
  if (machine !== EM_386 && machine !== EM_X86_64) {
    return { problem: `e_machine is ${machine}, neither 3 (80386) nor 62 (x86-64): a dump of another guest` };
  }
  return { view, wide, machine };
}

interface ProgramHeader {
  readonly index: number;
  readonly type: number;
  readonly offset: bigint;
  readonly virtual: bigint;
  readonly physical: bigint;
  readonly fileSize: bigint;
  readonly memorySize: bigint;
}

function programHeaders(
  bytes: Uint8Array,
  { view, wide }: Layout,
): { list: readonly ProgramHeader[] } | CaptureProblem {
  const word = (at: number) => (wide ? view.getBigUint64(at, true) : BigInt(view.getUint32(at, true)));
  const tableAt = word(wide ? 32 : 28);
  const size = wide ? 56 : 32;
  const given = view.getUint16(wide ? 54 : 42, true);
  if (given !== size)
    return { problem: `e_phentsize is ${given}, an ELF${wide ? 64 : 32} program header has ${size} bytes` };
  let count = view.getUint16(wide ? 56 : 44, true);
  if (count === PN_XNUM) {
    const sections = word(wide ? 40 : 32);
    const info = Number(sections) + (wide ? 44 : 28);
    if (sections === 0n || info + 4 > bytes.length) {
      return {
        problem: `e_phnum is 0xffff, and e_shoff ${hex(sections)} has no section 0 that tells the number`,
      };
    }
    count = view.getUint32(info, true);
  }
  const end = tableAt + BigInt(count * size);
  if (end > BigInt(bytes.length)) {
    return {
      problem: `e_phoff ${hex(tableAt)} with e_phnum ${count} ends at ${hex(end)}, behind the file's ${hex(bytes.length)} bytes`,
    };
  }
  const list = Array.from({ length: count }, (_, index) => {
    const at = Number(tableAt) + index * size;
    const field = (long: number, narrow: number) => word(at + (wide ? long : narrow));
    return {
      index,
      type: view.getUint32(at, true),
      offset: field(8, 4),
      virtual: field(16, 8),
      physical: field(24, 12),
      fileSize: field(32, 16),
      memorySize: field(40, 20),
    };
  });
  const wrong = list.find(
    ({ type, offset, fileSize }) =>
      (type === PT_LOAD || type === PT_NOTE) && offset + fileSize > BigInt(bytes.length),
  );
  if (wrong) {
    return {
      problem: `program header ${wrong.index}: p_offset ${hex(wrong.offset)} with p_filesz ${hex(wrong.fileSize)} ends behind the file's ${hex(bytes.length)} bytes: the dump is truncated`,
    };
  }
  return { list };
}

function memoryOf(
  bytes: Uint8Array,
  loads: readonly ProgramHeader[],
): { list: readonly CapturedMemory[] } | CaptureProblem {
  // Without paging QEMU writes the physical address into both fields, or none.
  const paged = loads.find(({ virtual, physical }) => virtual !== 0n && virtual !== physical);
  if (paged) {
    return {
      problem: `program header ${paged.index} has p_vaddr ${hex(paged.virtual)}: it is a dump with paging, which has only what was mapped; make one with \`dump-guest-memory FILE\` without -p`,
    };
  }
  const far = loads.find(({ physical, memorySize }) => physical + memorySize > PHYSICAL_END);
  if (far) {
    return {
      problem: `program header ${far.index}: p_paddr ${hex(far.physical)} with p_memsz ${hex(far.memorySize)} ends beyond 2^52, where no x86 CPU has memory`,
    };
  }
  if (loads.length > MOST_PIECES) {
    return { problem: `it has ${loads.length} PT_LOAD headers, more than the ${MOST_PIECES} that are read` };
  }
  if (loads.length === 0) return { problem: 'it has no PT_LOAD header: there is no memory in it' };
  const list = loads
    .map(({ physical, offset, fileSize, memorySize }) => ({
      range: { start: physical, end: physical + (memorySize > fileSize ? memorySize : fileSize) },
      bytes: bytes.subarray(Number(offset), Number(offset + fileSize)),
    }))
    .sort((a, b) => (a.range.start < b.range.start ? -1 : 1));
  for (let index = 1; index < list.length; index++) {
    const [before, after] = [list[index - 1]!.range, list[index]!.range];
    if (after.start < before.end) {
      return { problem: `two PT_LOAD headers overlap: ${formatRange(before)} and ${formatRange(after)}` };
    }
  }
  return { list };
}

/** The QEMU notes of a PT_NOTE segment, in the order of the vCPUs. */
function qemuNotes(
  bytes: Uint8Array,
  index: number,
  offset: bigint,
  size: bigint,
): (DataView | CaptureProblem)[] {
  const found: (DataView | CaptureProblem)[] = [];
  const end = Number(offset + size);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = Number(offset); at + 12 <= end;) {
    const nameSize = view.getUint32(at, true);
    const size = view.getUint32(at + 4, true);
    const content = at + 12 + padded(nameSize);
    if (content + size > end) {
      return [
        {
          problem: `program header ${index}: a note at ${hex(at)} with n_descsz ${hex(size)} ends behind p_filesz`,
        },
      ];
    }
    const name = new TextDecoder('latin1').decode(bytes.subarray(at + 12, at + 12 + nameSize));
    if (name === 'QEMU\0') {
      const note = stateNote(new DataView(view.buffer, view.byteOffset + content, size), at);
      found.push(note);
      if ('problem' in note) break;
    }
    at = content + padded(size);
  }
  return found;
}

function stateNote(note: DataView, at: number): DataView | CaptureProblem {
  if (note.byteLength < STATE_SIZE) {
    return {
      problem: `the QEMU note at ${hex(at)} has ${note.byteLength} bytes, its registers have ${STATE_SIZE}`,
    };
  }
  const version = note.getUint32(0, true);
  return version === STATE_VERSION
    ? note
    : { problem: `the QEMU note at ${hex(at)} has version ${version}, known is version ${STATE_VERSION}` };
}

function padded(size: number): number {
  return (size + 3) & ~3;
}

function vcpuOf(
  note: DataView,
  index: number,
  long: boolean,
  memory: readonly CapturedMemory[],
): CapturedVcpu {
  const word = (at: number) => note.getBigUint64(at, true);
  const segment = (place: number): SegmentState => {
    const at = SEGMENTS_AT + place * SEGMENT_SIZE;
    return (SEGMENT_ORDER[place] === 'tr' ? taskSegmentOf : segmentOf)(
      note.getUint32(at, true),
      word(at + 16),
      note.getUint32(at + 4, true),
      note.getUint32(at + 8, true),
    );
  };
  const table = (place: number) => {
    const { base, limit } = segment(place);
    return { base, limit: limit & 0xffff };
  };
  const general = { ...ZERO_REGISTERS };
  GENERAL.forEach((name, place) => (general[name] = word(8 + place * 8)));
  const state: VcpuState = {
    general,
    rip: word(8 + 16 * 8),
    rflags: word(8 + 17 * 8) | 2n,
    cr0: word(CONTROL_AT),
    cr2: word(CONTROL_AT + 16),
    cr3: word(CONTROL_AT + 24),
    cr4: word(CONTROL_AT + 32),
    cr8: 0n,
    efer: 0n,
    segments: Object.fromEntries(SEGMENT_ORDER.map((name, place) => [name, segment(place)])) as Record<
      SegmentName,
      SegmentState
    >,
    gdtr: table(8),
    idtr: table(9),
    dr: RESET_DEBUG_REGISTERS,
  };
  const efer = inferEfer(state, long, (address, length) => readPieces(memory, address, length));
  return {
    state: { ...state, efer },
    activity: atReset(state) && index > 0 ? 'wait-for-sipi' : 'running',
    ...(note.byteLength >= STATE_SIZE + 8 ? { kernelGsBase: word(STATE_SIZE) } : {}),
  };
}

/** An AP that nobody has started stands where RESET or INIT left it. */
function atReset({ rip, cr0, segments }: VcpuState): boolean {
  return rip === 0xfff0n && (cr0 & 1n) === 0n && segments.cs.base === 0xffff0000n;
}

function readPieces(memory: readonly CapturedMemory[], address: bigint, length: number): Uint8Array | null {
  const piece = memory.find(({ range }) => address >= range.start && address + BigInt(length) <= range.end);
  if (!piece) return null;
  const offset = Number(address - piece.range.start);
  const out = new Uint8Array(length);
  out.set(piece.bytes.subarray(offset, offset + length));
  return out;
}

/** What the notes do not have. */
function gaps(vcpus: readonly CapturedVcpu[], memory: readonly CapturedMemory[]): string[] {
  const list = [
    `EFER, which the dump does not have: LMA and LME are taken from e_machine and CS.L, NXE from whether a page-table entry has bit 63 (${vcpus.map(({ state }, index) => `vCPU ${index}: ${hex(state.efer)}`).join(', ')}); SCE is 0, so SYSCALL raises #UD`,
    'MSRs but IA32_KERNEL_GS_BASE, x87, SSE and AVX registers, debug registers and CR8, which the dump does not have: they are as after RESET',
    'local APICs, interrupt controllers, timers and all other devices, which the dump does not have: they are as after RESET, so no timer interrupt comes until the guest programs one',
    'whether a vCPU was halted, which the dump does not tell: all of them run on, but those still at the reset vector, which wait for a start-up IPI',
  ];
  if (vcpus.some(({ kernelGsBase }) => kernelGsBase === undefined)) {
    list.push('IA32_KERNEL_GS_BASE, which this dump does not have: SWAPGS exchanges GS with 0');
  }
  vcpus.forEach(({ state, activity }, index) => {
    if (activity !== 'running') return;
    const at = state.segments.cs.base + state.rip - 1n;
    const physical = (state.cr0 & (1n << 31n)) === 0n;
    if (physical && readPieces(memory, at, 1)?.[0] === 0xf4) {
      list.push(`vCPU ${index} stands behind an HLT: if it was halted, it has woken up here`);
    }
  });
  return list;
}
