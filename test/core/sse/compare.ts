/** Comparison of two answers of ../oracle/host/vectors.c, and the differences that the manuals allow. */
import { FLAGS, FX, GENERAL, LENGTH, MEMORY, RECORD } from './cases';

/** CF, PF, AF, ZF, SF, OF. */
const ARITHMETIC = 0x8d5n;

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const reversed = (bytes: Uint8Array): string => hex(bytes.slice().reverse());

/** The instruction of a request by its mandatory prefix and opcode: `f3 53`. */
export function opcodeOf(request: Uint8Array): {
  readonly prefix: string;
  readonly opcode: number;
  readonly memory: boolean;
} {
  let at = 0;
  let operand66 = false;
  let repeat = '';
  for (; [0x66, 0xf2, 0xf3].includes(request[at] ?? 0); at++) {
    if (request[at] === 0x66) operand66 = true;
    else repeat = request[at] === 0xf2 ? 'f2' : 'f3';
  }
  if (((request[at] ?? 0) & 0xf0) === 0x40) at++;
  const map = [0x38, 0x3a].includes(request[at + 1] ?? 0) ? (request[at + 1] ?? 0) : 0;
  if (map) at++;
  const modrm = request[at + 2] ?? 0;
  return {
    prefix: repeat || (operand66 ? '66' : 'none'),
    opcode: (map << 8) | (request[at + 1] ?? 0),
    memory: at + 2 < (request[LENGTH] ?? 0) && modrm < 0xc0,
  };
}

/**
 * `feature`: the host has a feature that our CPUID lacks. `estimate`: a result whose bits the model chooses. `entered`: the
 * x87's state behind a fault.
 */
type Kind = 'feature' | 'estimate' | 'entered';

/** Where the core differs from this host and may: by mandatory prefix and opcode. */
export const EXPLAINED: readonly {
  readonly prefix: readonly string[];
  readonly opcode: readonly number[];
  readonly memory?: boolean;
  readonly kind: Kind;
  readonly why: string;
}[] = [
  { prefix: ['66', 'f2'], opcode: [0x78, 0x79], kind: 'feature', why: 'EXTRQ and INSERTQ of SSE4A' },
  {
    prefix: ['f2', 'f3'],
    opcode: [0x2b],
    memory: true,
    kind: 'feature',
    why: 'MOVNTSD and MOVNTSS of SSE4A',
  },
  { prefix: ['none', 'f3'], opcode: [0x52, 0x53], kind: 'estimate', why: 'RSQRT and RCP are approximations' },
  {
    prefix: ['none'],
    opcode: [0xf7],
    kind: 'entered',
    why: 'AMD enters the MMX state before MASKMOVQ faults',
  },
];

export function explained(request: Uint8Array): Kind | null {
  const { prefix, opcode, memory } = opcodeOf(request);
  const row = EXPLAINED.find(
    (each) =>
      each.prefix.includes(prefix) &&
      each.opcode.includes(opcode) &&
      (each.memory === undefined || each.memory === memory),
  );
  return row?.kind ?? null;
}

/** Two estimates of the same number: the manual's bound of 1.5 × 2^-12 holds for each, so they are twice that apart. */
function near(a: number, b: number): boolean {
  const buffer = new DataView(new ArrayBuffer(8));
  buffer.setUint32(0, a);
  buffer.setUint32(4, b);
  const [x, y] = [buffer.getFloat32(0), buffer.getFloat32(4)];
  if (!Number.isFinite(x) || x === 0 || !Number.isFinite(y) || y === 0) return a === b;
  return Math.abs(x - y) <= Math.abs(x) * 3 * 2 ** -12;
}

/** What differs, in words; empty where nothing does. */
export function differences(request: Uint8Array, host: Uint8Array, core: Uint8Array): string[] {
  const kind = explained(request);
  if (kind === 'feature') return [];
  const [h, c] = [host, core].map((bytes) => new DataView(bytes.buffer, bytes.byteOffset, RECORD)) as [
    DataView,
    DataView,
  ];
  const out: string[] = [];
  const differ = (name: string, a: string, b: string): void => {
    if (a !== b) out.push(`${name}: host ${a}, core ${b}`);
  };
  const [vector, ours] = [h.getUint32(0, true), c.getUint32(0, true)];
  differ('vector', String(vector | 0), String(ours | 0));
  if (vector === 14 && ours === 14) {
    differ('write', String(h.getUint32(4, true) & 2), String(c.getUint32(4, true) & 2));
    differ('cr2', h.getBigUint64(8, true).toString(16), c.getBigUint64(8, true).toString(16));
  }
  for (let i = 0; i < 16; i++) {
    if (i === 4) continue;
    const at = GENERAL + 8 * i;
    differ(`general ${i}`, h.getBigUint64(at, true).toString(16), c.getBigUint64(at, true).toString(16));
  }
  const flags = (view: DataView): string => (view.getBigUint64(FLAGS, true) & ARITHMETIC).toString(16);
  differ('flags', flags(h), flags(c));
  const part = (name: string, from: number, size: number): void => {
    const [a, b] = [host, core].map((bytes) => bytes.subarray(from, from + size)) as [Uint8Array, Uint8Array];
    if (Buffer.compare(a, b) !== 0) differ(name, reversed(a), reversed(b));
  };
  part('fcw', FX, 2);
  part('mxcsr', FX + 24, 4);
  if (kind !== 'entered' || vector === 0xffffffff) {
    part('fsw', FX + 2, 2);
    part('ftw', FX + 4, 1);
    for (let i = 0; i < 8; i++) part(`st${i}`, FX + 32 + 16 * i, 10);
  }
  for (let i = 0; i < 16; i++) {
    const at = FX + 160 + 16 * i;
    const close = [0, 4, 8, 12].every((lane) =>
      near(h.getUint32(at + lane, true), c.getUint32(at + lane, true)),
    );
    if (kind !== 'estimate' || !close) part(`xmm${i}`, at, 16);
  }
  for (let at = MEMORY; at < RECORD; at += 16) part(`memory ${at - MEMORY}`, at, 16);
  return out;
}

/** The request in words, for a failure. */
export function describe(request: Uint8Array): string {
  const view = new DataView(request.buffer, request.byteOffset, RECORD);
  const lines = [`code ${hex(request.subarray(0, request[LENGTH] ?? 0))}`];
  lines.push(
    `mxcsr ${view.getUint32(FX + 24, true).toString(16)}, fsw ${view.getUint16(FX + 2, true).toString(16)}`,
  );
  lines.push(`flags ${view.getBigUint64(FLAGS, true).toString(16)}`);
  for (let i = 0; i < 16; i++)
    lines.push(
      `general ${i} ${view.getBigUint64(GENERAL + 8 * i, true).toString(16)}, xmm ${reversed(request.subarray(FX + 160 + 16 * i, FX + 176 + 16 * i))}`,
    );
  for (let i = 0; i < 8; i++)
    lines.push(`st${i} ${reversed(request.subarray(FX + 32 + 16 * i, FX + 42 + 16 * i))}`);
  for (let at = MEMORY; at < RECORD; at += 16)
    lines.push(`memory ${at - MEMORY} ${reversed(request.subarray(at, at + 16))}`);
  return lines.join('\n');
}
