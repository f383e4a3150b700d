/**
 * ELF cores of QEMU's `dump-guest-memory` for x86 guests: memory by physical address, and for each vCPU a note named QEMU
 * with the registers (QEMU, target/i386/arch_dump.c, QEMUCPUState version 1; dump/dump.c for the file).
 */
import { hex } from '../../address/format';
import { elfIdentity, EM_X86_64, ET_CORE, isElf, programHeaders, PT_NOTE } from '../image/elfHeader';
import { notesOf } from '../image/elfNotes';
import {
  NO_REGISTERS,
  RESET_DEBUG_REGISTERS,
  type GeneralRegister,
  type SegmentName,
  type SegmentState,
  type VcpuState,
} from '../../x86/state';
import {
  segmentOf,
  taskSegmentOf,
  tooManyVcpus,
  type CapturedMemory,
  type CapturedState,
  type CapturedVcpu,
  type CaptureProblem,
} from './capturedState';
import { coreMemory, truncation } from './coreMemory';
import { inferEfer } from './inferredEfer';

const STATE_VERSION = 1;
/** Of version 1 without the fields that were added at its end. */
const STATE_SIZE = 432;
/** In the order of the note, which is not that of the encoding. */
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
  const identity = elfIdentity(bytes);
  if ('problem' in identity) return identity;
  const headers = programHeaders(identity);
  if ('problem' in headers) return headers;
  const truncated = truncation(bytes, headers.list);
  if (truncated) return truncated;
  const memory = coreMemory(bytes, headers.list);
  if ('problem' in memory) return memory;
  const notes: DataView[] = [];
  for (const { index, offset, fileSize } of headers.list.filter(({ type }) => type === PT_NOTE)) {
    const area = bytes.subarray(Number(offset), Number(offset + fileSize));
    const found = notesOf(area, 4, `program header ${index}`);
    if ('problem' in found) return found;
    for (const { owner, descriptor } of found.list) {
      if (owner !== 'QEMU') continue;
      const wrong = stateProblem(descriptor, notes.length);
      if (wrong) return wrong;
      notes.push(viewOf(descriptor));
    }
  }
  if (notes.length === 0) {
    return {
      problem: 'it has no note named QEMU: it is the core of another program, without the state of vCPUs',
    };
  }
  const many = tooManyVcpus(notes.length);
  if (many) return many;
  const long = identity.machine === EM_X86_64;
  const vcpus = notes.map((note, index) => vcpuOf(note, index, long, memory.list));
  return { vcpus, memory: memory.list, notes: gaps(vcpus, memory.list) };
}

function stateProblem(note: Uint8Array, vcpu: number): CaptureProblem | null {
  if (note.length < STATE_SIZE) {
    return {
      problem: `the QEMU note of vCPU ${vcpu} has ${note.length} bytes, its registers have ${STATE_SIZE}`,
    };
  }
  const version = viewOf(note).getUint32(0, true);
  return version === STATE_VERSION
    ? null
    : { problem: `the QEMU note of vCPU ${vcpu} has version ${version}, known is version ${STATE_VERSION}` };
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
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
  const general = { ...NO_REGISTERS };
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
