/** Trace events from the numbers that the core passes (assembly/events.ts). */
import type { CpuMode } from '../src/x86/state';
import * as E from './assembly/events';
import * as L from './assembly/layout';
import type { Ticks, TraceEvent } from './face';

const CPU_MODES: readonly CpuMode[] = [
  'real',
  'v86',
  'protected-16',
  'protected-32',
  'compatibility',
  'long',
];
const TABLES = ['gdtr', 'idtr', 'ldtr', 'tr'] as const;
const SOURCES = ['pic', 'apic', 'nmi', 'software'] as const;

/** The paging mode in force on the current vCPU (SDM vol. 3, 4.1.1). */
function pagingMode(view: DataView): string {
  const cr4 = view.getUint32(L.CR4, true);
  if (view.getInt32(L.CR0, true) >= 0) return 'off';
  if ((cr4 & 0x20) === 0) return '32-bit';
  if ((view.getUint32(L.EFER, true) & 0x400) === 0) return 'PAE';
  return (cr4 & 0x1000) === 0 ? '4-level' : '5-level';
}

/** `where` holds the vCPU in its low byte and, above, which register or table; `a`, `b` and `c` are the details. */
export function traceEvent(
  view: DataView,
  at: Ticks,
  kind: number,
  where: number,
  [a, b, c]: readonly [bigint, bigint, bigint],
): TraceEvent | null {
  const vcpu = where & 0xff;
  const which = where >> 8;

  switch (kind) {
    case E.TRACE_MODE:
      return {
        event: 'mode',
        at,
        vcpu,
        from: CPU_MODES[Number(b)] ?? 'real',
        to: CPU_MODES[Number(c)] ?? 'real',
        rip: a,
        paging: pagingMode(view),
      };
    case E.TRACE_CR:
      return { event: 'cr-write', at, vcpu, register: `cr${which}`, value: b, previous: c, rip: a };
    case E.TRACE_MSR:
      return { event: 'msr-write', at, vcpu, index: Number(b), value: c, rip: a };
    case E.TRACE_TABLE:
      return {
        event: 'table-load',
        at,
        vcpu,
        table: TABLES[which] ?? 'gdtr',
        selector: which < 2 ? null : Number(c >> 32n),
        base: b,
        limit: Number(c & 0xffffffffn),
        rip: a,
      };
    case E.TRACE_EXCEPTION: {
      const vector = Number(a & 0xffn);
      return {
        event: 'exception',
        at,
        vcpu,
        vector,
        errorCode: (a & 0x100n) !== 0n ? Number(a >> 32n) : null,
        rip: b,
        cr2: vector === 14 ? c : null,
      };
    }
    case E.TRACE_INTERRUPT:
      return { event: 'interrupt', at, vcpu, vector: Number(a), source: SOURCES[Number(b)] ?? 'pic' };
    case E.TRACE_IPI:
      return { event: 'ipi', at, vcpu, icr: b, rip: a };
    case E.TRACE_INIT:
      return { event: 'init', at, vcpu };
    case E.TRACE_SIPI:
      return { event: 'sipi', at, vcpu, vector: Number(a) };
    case E.TRACE_HALT:
      return { event: 'halt', at, vcpu, rip: a };
  }
  return null;
}
