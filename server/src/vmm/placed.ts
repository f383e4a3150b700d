/** What a VMM writes into guest memory before the first instruction, and what a machine's boot state says of it. */
import { fromLength } from '../address/range';
import type { BootState, BootStructure, DescriptorTable, StructureKind } from '../machine/bootState';
import type { Mapping } from '../machine/mapping';
import { onDemand } from '../machine/onDemand';
import type { Origin } from '../machine/origin';
import type { GuestState } from '../x86/entryChecks/guestState';
import { mappedRanges } from '../x86/pageWalk';
import type { TableRegister, VcpuState } from '../x86/state';

/** Bytes at a guest-physical address. */
export interface Placed {
  readonly at: bigint;
  readonly bytes: Uint8Array;
  readonly kind: StructureKind;
  /** `PML4`, `zero page`. */
  readonly name: string;
}

/** One way in which a VMM may start a machine: which one it is, the kernel's file decides. */
export interface BootMethod {
  /** `64-bit Linux boot protocol`. */
  readonly name: string;
  readonly parts: readonly Placed[];
  /** Of the first vCPU; of `rip` only what does not depend on the kernel's file. */
  readonly state: GuestState;
}

/** A register set without its entry point, which the kernel's file decides. */
export function withoutEntry(state: VcpuState): GuestState {
  const { rflags, cr0, cr3, cr4, efer, segments, gdtr, idtr, dr } = state;
  return { rflags, cr0, cr3, cr4, efer, segments, gdtr, idtr, dr };
}

/**
 * What all of the methods, one at least, have alike: a structure or a register that one of them has otherwise is left out, and descriptor and
 * page tables where there are several. The first vCPU alone: the others are started by the guest.
 */
export function bootStateOf(methods: readonly BootMethod[], origin: Origin): BootState {
  const [first, ...others] = methods as [BootMethod, ...BootMethod[]];
  const { state } = first;
  const single = others.length === 0;
  const shared = first.parts.filter((part) =>
    others.every(({ parts }) => parts.some((other) => samePlace(part, other))),
  );
  const common = Object.fromEntries(
    Object.entries(state).filter(([name, value]) =>
      others.every((other) => sameValue(value, other.state[name as keyof GuestState])),
    ),
  );
  const tables = onDemand(() => (single ? tablesOf(first, origin) : []));
  const mappings = onDemand(() => (single ? mappingsOf(first, origin) : []));
  return {
    method: methods.map(({ name }) => name).join(', or '),
    structures: shared.map((part) => structureOf(part, origin)),
    get tables() {
      return tables();
    },
    get mappings() {
      return mappings();
    },
    vcpus: [{ index: 0, state: common, registersAt: new Map(), origin, at: null }],
  };
}

function samePlace(a: Placed, b: Placed): boolean {
  return a.kind === b.kind && a.at === b.at && a.bytes.length === b.bytes.length;
}

function sameValue(a: unknown, b: unknown): boolean {
  const text = (value: unknown) =>
    JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? `${part}n` : part));
  return text(a) === text(b);
}

function structureOf({ at, bytes, kind, name }: Placed, origin: Origin): BootStructure {
  return {
    kind,
    name,
    range: fromLength(at, BigInt(bytes.length)),
    reason: 'The VMM writes it before the first instruction.',
    origin,
    at: null,
  };
}

/** The bytes of the parts, zeros beside them; null where no part has a byte of it. */
function read(parts: readonly Placed[], address: bigint, length: number): Uint8Array | null {
  const bytes = new Uint8Array(length);
  let touched = false;
  for (const part of parts) {
    const offset = part.at - address;
    if (offset >= BigInt(length) || offset + BigInt(part.bytes.length) <= 0n) continue;
    touched = true;
    const from = offset < 0n ? Number(-offset) : 0;
    const to = Math.max(Number(offset), 0);
    bytes.set(part.bytes.subarray(from, from + length - to), to);
  }
  return touched ? bytes : null;
}

function tablesOf({ parts, state }: BootMethod, origin: Origin): DescriptorTable[] {
  return (['gdt', 'idt'] as const).flatMap((which) => {
    const register: TableRegister | undefined = state[`${which}r`];
    const part = parts.find(({ kind }) => kind === which);
    if (!register || !part) return [];
    const view = new DataView(part.bytes.buffer, part.bytes.byteOffset, part.bytes.byteLength);
    const entries = Array.from({ length: Math.floor(part.bytes.length / 8) }, (_, index) => ({
      index,
      value: view.getBigUint64(index * 8, true),
      at: null,
    }));
    return [{ which, base: part.at, limit: register.limit, entries, origin, at: null }];
  });
}

function mappingsOf({ parts, state }: BootMethod, origin: Origin): Mapping[] {
  const { cr0, cr3, cr4, efer } = state;
  if (cr0 === undefined || cr3 === undefined || cr4 === undefined || efer === undefined) return [];
  return mappedRanges({ cr0, cr3, cr4, efer }, (address, length) => read(parts, address, length)).map(
    ({ readOnlyAbove, ...range }) => ({
      ...range,
      ...(readOnlyAbove ? { readOnlyAbove: { ...readOnlyAbove, origin } } : {}),
      origin,
      at: null,
    }),
  );
}

/** Writes the parts in their order; those that have no room in memory. */
export function writeParts(
  parts: readonly Placed[],
  write: (address: bigint, bytes: Uint8Array) => boolean,
): Placed[] {
  return parts.filter(({ at, bytes }) => bytes.length > 0 && !write(at, bytes));
}
