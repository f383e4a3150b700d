/** One random case: tables, control bits and an access; done by the core and by the naive walker, and compared. */
import assert from 'node:assert/strict';
import { CODE } from '../lab';
import type { Random } from '../oracle/random';
import { CODE_TABLES, DATA_RAM, POOL, POOL_PAGES, RAM_END, TABLES_END, type PagingMachine } from './machine';
import { BIT, BITS, levelsOf, modeOf, walk, type Access, type Mode, type Paging, type Walk } from './walker';

const MODES: readonly Mode[] = [
  'none',
  '32-bit',
  '32-bit',
  'PAE',
  'PAE',
  '4-level',
  '4-level',
  '4-level',
  '5-level',
];

type Doing = Access | 'modify' | 'implicit';

interface Case {
  readonly paging: Paging;
  readonly user: boolean;
  /** Long mode, but a 32-bit code segment. */
  readonly compatibility: boolean;
  readonly doing: Doing;
  readonly size: 1 | 2 | 4 | 8;
  readonly linear: bigint;
}

const chance = (random: Random, mask: bigint, n: number): bigint => (random.oneIn(n) ? mask : 0n);
const word64 = (random: Random): bigint => (BigInt(random.word()) << 32n) | BigInt(random.word());

function randomPaging(random: Random, machine: PagingMachine): Paging {
  const mode = random.pick(MODES);
  const long = mode === '4-level' || mode === '5-level';
  const pg = mode === 'none' ? 0n : BIT(31);
  let cr4 = chance(random, BIT(7), 2) | chance(random, BIT(20), 3) | chance(random, BIT(21), 3);
  cr4 |= chance(random, BIT(22), 2) | chance(random, BIT(24), 3) | chance(random, BIT(4), 2);
  if (mode !== 'none' && mode !== '32-bit') cr4 |= BIT(5);
  if (mode === '5-level') cr4 |= BIT(12);
  // Bits that paging ignores in CR3 are random.
  const cr3 = CODE_TABLES | (mode === 'PAE' ? BigInt(random.below(128)) : BigInt(random.below(4096)));
  return {
    cr0: 0x31n | pg | chance(random, BIT(16), 2),
    cr3: mode === 'PAE' ? cr3 & ~BITS(11, 7) : cr3,
    cr4,
    efer: (long ? 0x500n : 0n) | (random.oneIn(4) ? 0n : BIT(11)),
    pkru: random.oneIn(2) ? 0n : BigInt(random.word()),
    pkrs: random.oneIn(2) ? 0n : BigInt(random.word()),
    ac: random.oneIn(2),
    a20: !random.oneIn(8),
    cpu: machine.cpu,
    pdptes: [],
  };
}

function randomLinear(random: Random, bits: 32 | 48 | 57): bigint {
  const top = BIT(bits - 1);
  let linear = word64(random) & BITS(bits - 1, 0);
  // Near the ends of tables, where indices carry, more often than chance would have it.
  if (random.oneIn(6)) linear = random.pick([0n, top, top - 0x1000n, BITS(bits - 1, 12)]);
  if (random.oneIn(3)) linear = (linear & ~0xfffn) | BigInt(0xff8 + random.below(8));
  if (bits > 32 && (linear & top) !== 0n) linear |= ~0n << BigInt(bits);
  linear = BigInt.asUintN(64, linear);
  // The code's own page and the first bytes, which a DS base away from zero cannot reach, are left alone.
  if (bits === 32 && linear < 0x10000n) linear += 0x10000n;
  if (linear >> 12n === CODE >> 12n) linear += 0x1000n;
  return linear;
}

export function randomCase(random: Random, machine: PagingMachine): Case {
  const paging = randomPaging(random, machine);
  const long = modeOf(paging) === '4-level' || modeOf(paging) === '5-level';
  const compatibility = long && random.oneIn(5);
  const wide = long && !compatibility;
  const doing = random.pick<Doing>(['read', 'write', 'modify', 'fetch', 'implicit']);
  const bits = wide ? (modeOf(paging) === '5-level' ? 57 : 48) : 32;
  let linear = randomLinear(random, bits);
  // A fetch would meet the limit of CS before it wrapped.
  if (!wide && doing === 'fetch' && linear > 0xfffffff0n) linear -= 0x20n;
  const size =
    doing === 'implicit' ? 8 : doing === 'fetch' ? 4 : random.pick(wide ? [1, 2, 4, 8] : [1, 2, 4]);
  return { paging, user: random.oneIn(2), compatibility, doing, size: size as Case['size'], linear };
}

/** An entry of a table at a level whose index ends at linear bit `low`; a leaf if `leaf`. */
function randomEntry(random: Random, paging: Paging, low: number, large: boolean): bigint {
  const mode = modeOf(paging);
  let entry = (random.oneIn(10) ? 0n : 1n) | (random.oneIn(4) ? 0n : 2n) | (random.oneIn(4) ? 0n : 4n);
  entry |= BigInt(random.below(4)) << 3n;
  entry |= chance(random, BIT(5), 2) | chance(random, BIT(6), 2) | chance(random, BIT(8), 3);
  entry |= BigInt(random.below(8)) << 9n;
  const leaf = low === 12 || large;
  if (large || (low === 12 && random.oneIn(3)) || random.oneIn(20)) entry |= BIT(7);
  entry |= leaf ? randomFrame(random, paging, low) : POOL + BigInt(random.below(POOL_PAGES)) * 0x1000n;
  // Reserved or, in part, address bits of a large page.
  if (large && random.oneIn(5)) entry |= BIT(random.between(13, low - 1));
  if (mode !== '32-bit') {
    entry |= chance(random, BIT(63), 6);
    if (mode !== 'PAE') entry |= BigInt(random.below(0x800)) << 52n;
    if (random.oneIn(8)) entry |= BIT(random.between(12, 62));
  } else if (random.oneIn(8)) entry |= BIT(random.between(12, 31));
  return entry;
}

/** RAM, or an address that only the bus knows, up to the last below MAXPHYADDR. */
function randomFrame(random: Random, paging: Paging, low: number): bigint {
  const within = low === 12 ? BITS(11, 0) : BITS(low - 1, 0);
  const { width } = paging.cpu;
  if (modeOf(paging) === '32-bit') {
    if (low === 12)
      return random.oneIn(2)
        ? DATA_RAM | (BigInt(random.below(256)) << 12n)
        : (BigInt(random.word()) | BIT(31)) & ~within;
    const above = BITS(Math.min(40, width) - 1, 32) & word64(random);
    return (
      BIT(31) |
      (BigInt(random.word()) & BITS(31, 22)) |
      ((paging.cpu.pse36 ? above >> 32n : 0n) << 13n) |
      chance(random, BIT(12), 2)
    );
  }
  const pat = low === 12 ? 0n : chance(random, BIT(12), 2);
  if (random.oneIn(2) && low < 30) return DATA_RAM | ((BigInt(random.below(256)) << 12n) & ~within) | pat;
  return ((word64(random) | BIT(width - 1)) & BITS(width - 1, 0) & ~within) | pat;
}

/** Plants entries for one linear address; those that exist (the code's, or another page's) stay. */
function plant(
  random: Random,
  machine: PagingMachine,
  paging: Paging,
  linear: bigint,
  planted: Set<bigint>,
): void {
  const mode = modeOf(paging);
  const size = mode === '32-bit' ? 4 : 8;
  let table = paging.cr3 & (mode === '32-bit' ? BITS(31, 12) : BITS(51, 12));
  if (mode === 'PAE') {
    const at = (paging.cr3 & BITS(31, 5)) + ((linear >> 30n) & 3n) * 8n;
    if (!planted.has(at)) {
      const pointer = POOL + BigInt(random.below(POOL_PAGES)) * 0x1000n;
      machine.lab.put(
        at,
        pointer |
          (random.oneIn(12) ? 0n : 1n) |
          (BigInt(random.below(4)) << 3n) |
          (BigInt(random.below(8)) << 9n),
        8,
      );
      planted.add(at);
    }
    table = machine.peek(at, 8) & BITS(51, 12);
  }
  for (const level of levelsOf(paging)) {
    const at = table + ((linear & BITS(level.high, level.low)) >> BigInt(level.low)) * BigInt(size);
    const large = level.mapsPages && random.oneIn(3);
    if (!planted.has(at)) {
      if (at + 8n > TABLES_END) return;
      machine.lab.put(at, randomEntry(random, paging, level.low, large), size);
      planted.add(at);
    }
    const entry = machine.peek(at, size);
    if (level.low === 12 || (level.mapsPages && (entry & BIT(7)) !== 0n)) return;
    table = entry & (mode === '32-bit' ? BITS(31, 12) : BITS(51, 12));
  }
}

const CODES: Record<Exclude<Doing, 'fetch'>, Readonly<Record<number, string>>> = {
  read: { 1: '8a06', 2: '668b06', 4: '8b06', 8: '488b06' },
  write: { 1: '8806', 2: '668906', 4: '8906', 8: '488906' },
  // NOT: reads and writes back.
  modify: { 1: 'f616', 2: '66f716', 4: 'f716', 8: '48f716' },
  // VERR of selector 8, whose descriptor lies 8 bytes into the GDT.
  implicit: { 8: '0f00e0' },
};
/** MOV EDX, imm16 with an operand-size prefix: four bytes. */
const FETCHED = [0x66, 0xba, 0x34, 0x12] as const;

/** A DS base outside 64-bit mode lets an operand wrap at 4 GiB without meeting the limit. */
const DS_BASE = 0x40n;

/** The pages of the access: where each begins and which of its bytes lie there. */
function piecesOf({
  linear,
  size,
  paging,
  compatibility,
  doing,
}: Case): { linear: bigint; from: number; to: number }[] {
  const inPage = 0x1000 - Number(linear & 0xfffn);
  if (inPage >= size) return [{ linear, from: 0, to: size }];
  const long = (paging.efer & BIT(10)) !== 0n;
  const wraps = !long || (compatibility && doing !== 'implicit');
  const next = BigInt.asUintN(wraps ? 32 : 64, linear + BigInt(inPage));
  return [
    { linear, from: 0, to: inPage },
    { linear: next, from: inPage, to: size },
  ];
}

/** Section 3.3.7.1: bits above the width of the paging mode repeat its top bit. */
function canonical({ paging, compatibility }: Case, linear: bigint): boolean {
  const mode = modeOf(paging);
  if (compatibility || (mode !== '4-level' && mode !== '5-level')) return true;
  const width = mode === '5-level' ? 57 : 48;
  return BigInt.asUintN(64, BigInt.asIntN(width, linear)) === linear;
}

/** Runs the case on the core and compares every trace that the access may leave. */
export function judge(random: Random, machine: PagingMachine, subject: Case): 'fault' | 'done' | 'skipped' {
  const { lab } = machine;
  const { user, doing, size, linear, compatibility } = subject;
  machine.clear();
  const planted = machine.mapCode(subject.paging, user);
  const pieces = piecesOf(subject);
  for (const piece of pieces) plant(random, machine, subject.paging, piece.linear, planted);
  const pdptes = [0n, 8n, 16n, 24n].map((i) => machine.peek((subject.paging.cr3 & BITS(31, 5)) + i, 8));
  const paging: Paging = { ...subject.paging, pdptes };

  const access: Access = doing === 'modify' ? 'write' : doing === 'implicit' ? 'read' : doing;
  const expected: Walk[] = [];
  // The hardware checks a whole operand for canonical form before it walks for any part, a fetch page by page.
  const illegal = pieces.map((piece) => !canonical(subject, piece.linear));
  let notCanonical = doing !== 'fetch' && illegal.includes(true);
  for (const [i, piece] of pieces.entries()) {
    notCanonical ||= illegal[i] === true;
    if (notCanonical) break;
    const request = { linear: piece.linear, access, user, implicit: doing === 'implicit' };
    expected.push(walk(paging, request, (at, bytes) => machine.peek(at, bytes)));
    if (expected.at(-1)?.fault !== null) break;
  }
  const faulting = expected.find((one) => one.fault !== null);
  const cr2 = pieces[expected.length - 1]?.linear ?? 0n;

  // What lies at the physical addresses: code to fetch, or random data.
  const data = doing === 'fetch' ? [...FETCHED] : Array.from({ length: size }, () => random.below(256));
  const addresses = data.map((_, i) => {
    const index = pieces.findIndex(({ from, to }) => i >= from && i < to);
    const base = expected[index]?.physical ?? null;
    return base === null ? null : base + BigInt(i - (pieces[index]?.from ?? 0));
  });
  const distinct = new Set(addresses.filter((address) => address !== null));
  const inRam = (address: bigint): boolean => address < RAM_END;
  if (addresses.some((address) => address !== null && address < DATA_RAM)) return 'skipped';
  addresses.forEach((address, i) => {
    if (address === null) return;
    if (inRam(address)) lab.core.write(address, Uint8Array.of(data[i] ?? 0));
    else machine.answers.set(address, data[i] ?? 0);
  });

  if (paging.pkru !== 0n || paging.pkrs !== 0n || machine.keysSet) machine.setKeys(paging.pkru, paging.pkrs);
  const wide = (paging.efer & BIT(10)) !== 0n && !compatibility;
  const state = lab.core.state(0);
  const source = word64(random);
  const level = user ? 0x60 : 0;
  const flat = { selector: 0x20, base: 0n, limit: 0xffffffff, attributes: 0xc093 | level };
  lab.core.setA20(paging.a20);
  lab.core.setState(0, {
    ...state,
    cr0: paging.cr0,
    cr2: 0n,
    cr3: paging.cr3,
    cr4: paging.cr4,
    efer: paging.efer,
    rip: doing === 'fetch' ? linear : CODE,
    rflags: 2n | (paging.ac ? BIT(18) : 0n),
    gdtr: { base: BigInt.asUintN(64, linear - 8n), limit: 0xffff },
    general: {
      ...state.general,
      rax: doing === 'implicit' ? 8n : source,
      rdx: 0x5555_5555n,
      rsi: wide ? linear : BigInt.asUintN(32, linear - DS_BASE),
    },
    segments: {
      ...state.segments,
      cs: { ...flat, selector: 8, attributes: (wide ? 0xa09b : 0xc09b) | level },
      ss: flat,
      es: flat,
      ds: { ...flat, base: wide ? 0n : DS_BASE },
    },
  });
  const before = Buffer.from(lab.core.read(CODE_TABLES, Number(TABLES_END - CODE_TABLES)) ?? []);
  machine.log.length = 0;
  const fault = machine.step(doing === 'fetch' ? '' : (CODES[doing][size] ?? ''));
  const after = Buffer.from(lab.core.read(CODE_TABLES, Number(TABLES_END - CODE_TABLES)) ?? []);

  // Faults: vector, error code, CR2.
  assert.deepEqual(
    fault && [fault.vector, fault.errorCode, fault.cr2],
    notCanonical ? [13, 0, null] : faulting ? [14, faulting.fault, cr2] : null,
    fault?.reason ?? 'no fault',
  );
  // A and D of every entry. Of an operand over a page end that faults in its second page, the first page gets neither.
  const marking = doing === 'fetch' ? expected : notCanonical ? [] : faulting ? [faulting] : expected;
  for (const { accessed, dirty } of marking)
    for (const at of accessed) {
      const offset = Number(at - CODE_TABLES);
      if (at >= TABLES_END) continue;
      before[offset] = (before[offset] ?? 0) | 0x20 | (at === dirty ? 0x40 : 0);
    }
  assert.deepEqual(after, before, 'A and D bits');
  if (fault) {
    assert.equal(lab.core.state(0).cr2, notCanonical ? 0n : cr2);
    return 'fault';
  }
  // The bytes went to, or came from, exactly these physical addresses.
  const result = lab.core.state(0).general;
  if (doing === 'fetch')
    assert.equal(result.rdx & 0xffffn, 0x1234n, 'the instruction at the physical address');
  else if (doing === 'read' && distinct.size === size) {
    const value = data.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
    assert.equal(BigInt.asUintN(8 * size, result.rax), value, 'the value at the physical address');
  } else if ((doing === 'write' || doing === 'modify') && distinct.size === size) {
    const word =
      doing === 'write' ? source : ~data.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
    addresses.forEach((address, i) => {
      if (address === null) return;
      const byte = (BigInt.asUintN(64, word) >> BigInt(8 * i)) & 0xffn;
      if (inRam(address)) assert.equal(lab.get(address, 1), byte, `byte ${i} at 0x${address.toString(16)}`);
      else
        assert.equal(machine.lastWritten(address), byte, `byte ${i} on the bus at 0x${address.toString(16)}`);
    });
  }
  for (const { address, size: bytes } of machine.log)
    for (let i = 0n; i < BigInt(bytes); i++)
      assert.ok(
        distinct.has(address + i) ||
          expected.some((one) => one.accessed.some((at) => address + i >= at && address + i < at + 8n)),
        `the bus saw 0x${(address + i).toString(16)}`,
      );
  return 'done';
}

/** The case in words, for a failure's message. */
export function describe(subject: Case): string {
  const { paging, ...rest } = subject;
  return JSON.stringify({ mode: modeOf(paging), ...paging, ...rest }, (_, value: unknown) =>
    typeof value === 'bigint' ? `0x${value.toString(16)}` : value,
  );
}
