/**
 * Hardware breakpoints on execution, data and ports (SDM vol. 3, Debug). While DR7 enables any, instructions run one at a
 * time and data accesses take the slow path.
 */
import { CR4, DEBUG_ACTIVE, DEBUG_HIT, DR } from "./layout";
import { Reason } from "./events";
import { DB, raise } from "./fault";

const DR6 = DR + 48;
const DR7 = DR + 56;

@inline function enabled(dr7: u32, number: u32): bool {
  return ((dr7 >> (number << 1)) & 3) != 0;
}
/** 0 execution, 1 write, 2 I/O, 3 read or write. */
@inline function typeOf(dr7: u32, number: u32): u32 {
  return (dr7 >> (16 + (number << 2))) & 3;
}

/** After a change of DR7. Returns whether data accesses are watched. */
export function refreshBreakpoints(): bool {
  const dr7 = load<u32>(DR7);
  let data = false;
  for (let i: u32 = 0; i < 4; i++) if (enabled(dr7, i) && typeOf(dr7, i) & 1) data = true;
  store<u8>(DEBUG_ACTIVE, (dr7 & 0xff) != 0);
  return data;
}

export const DR6_GENERAL_DETECT: u64 = 0x2000;
export const DR6_STEP: u64 = 0x4000;
export const DR6_TASK: u64 = 0x8000;

/**
 * Writes the conditions of a #DB to DR6. B0 to B3 are those of this exception, what they were before is gone; the other
 * bits are set and never cleared (SDM vol. 3, 18.2.3; APM vol. 2, 13.1.1.3: B0 to B3 are updated by every #DB).
 */
export function noteConditions(conditions: u64): void {
  store<u64>(DR6, (load<u64>(DR6) & ~0xf) | conditions);
}

/** #DB as a fault for an execution breakpoint at `linear`; RF must be clear. */
export function checkExecution(linear: u64): void {
  const dr7 = load<u32>(DR7);
  let hits: u32 = 0;
  for (let i: u32 = 0; i < 4; i++)
    if (enabled(dr7, i) && typeOf(dr7, i) == 0 && load<u64>(DR + (i << 3)) == linear) hits |= 1 << i;
  if (!hits) return;
  noteConditions(hits);
  raise(DB, 0, Reason.Debug, linear);
}

/** Notes the data breakpoints that an access meets: a trap after the instruction. */
export function noteData(linear: u64, size: u32, write: bool): void {
  const dr7 = load<u32>(DR7);
  for (let i: u32 = 0; i < 4; i++) {
    const type = typeOf(dr7, i);
    if (!enabled(dr7, i) || !(type & 1) || (type == 1 && !write)) continue;
    noteWhereMet(dr7, i, linear, size);
  }
}
@inline function noteWhereMet(dr7: u32, number: u32, address: u64, size: u32): void {
  const length = (dr7 >> (18 + (number << 2))) & 3;
  const bytes: u64 = length == 2 ? 8 : length + 1;
  const at = load<u64>(DR + (number << 3)) & ~(bytes - 1);
  if (address < at + bytes && at < address + size) store<u32>(DEBUG_HIT, load<u32>(DEBUG_HIT) | (1 << number));
}
/** Notes the I/O breakpoints that an access to a port meets: under CR4.DE, a trap as well. */
export function notePort(port: u32, size: u32): void {
  if (!(load<u64>(CR4) & 8)) return;
  const dr7 = load<u32>(DR7);
  for (let i: u32 = 0; i < 4; i++) if (enabled(dr7, i) && typeOf(dr7, i) == 2) noteWhereMet(dr7, i, port, size);
}
