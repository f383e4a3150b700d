// What is measured. Each is a ROM (guest.asm) that repeats something; `per` is what a turn counts for in the unit, and null
// where instructions are counted. `turns` are few enough for the slowest engine to try.
const KIB_256 = 2 ** 18;

export const WORKLOADS = [
  { rom: 'loop64', name: 'loop, 64-bit, 4-level paging', unit: 'MIPS', turns: 200_000 },
  { rom: 'loop32', name: 'loop, 32-bit, no paging', unit: 'MIPS', turns: 200_000 },
  { rom: 'blocks', name: '4096 blocks on 64 pages, data on 400', unit: 'MIPS', turns: 20 },
  { rom: 'x87', name: 'x87 loop', unit: 'MIPS', turns: 50_000 },
  { rom: 'sse', name: 'SSE2 loop', unit: 'MIPS', turns: 50_000 },
  { rom: 'movs', name: 'REP MOVSQ', unit: 'GB/s', turns: 4, per: KIB_256 / 1e9 },
  { rom: 'stos', name: 'REP STOSD', unit: 'GB/s', turns: 4, per: KIB_256 / 1e9 },
  { rom: 'misses', name: 'reads of 2048 pages in turn', unit: 'thousands/s', turns: 20, per: 2.048 },
  { rom: 'faults', name: 'page faults', unit: 'thousands/s', turns: 10_000, per: 1e-3 },
  { rom: 'ports', name: 'port writes', unit: 'thousands/s', turns: 10_000, per: 1e-3 },
  { rom: 'mmio', name: 'MMIO reads', unit: 'thousands/s', turns: 10_000, per: 1e-3 },
];

/** The ROMs without 64-bit code: what v86 can run. */
export const ROMS_32 = new Set(['loop32']);
