/**
 * The pins LINT0 and LINT1 of the local APICs (SDM vol. 3, 10.5.1). On a PC the 8259 pair drives LINT0 of every CPU and the
 * board's NMI drives LINT1; with the APIC globally disabled they are INTR and NMI (10.4.3).
 *
 * Fixed mode, edge or level triggered; NMI and INIT at an edge; ExtINT by level. SMI is not modelled. LINT1 in fixed mode
 * is taken as edge triggered: level is not supported there. The polarity bit inverts the pin.
 */
import { APIC_LVT, INTR, NMI_PIN, REQUEST_EXTINT, REQUEST_NMI, VCPU_COUNT } from "./layout";
import { apicEnabled, LVT_LINT0, LVT_LINT1, LVT_MASKED, message, notice, requestVector, vcpuAt } from "./apic";

const EXTINT: u32 = 0x700;
const MODE: u32 = 0x700;
const ACTIVE_LOW: u32 = 0x2000;
export const LVT_REMOTE_IRR: u32 = 0x4000;
const LEVEL: u32 = 0x8000;

/** Level of the pin of an LVT entry; `number` is LVT_LINT0 or LVT_LINT1. */
@inline function active(entry: u32, number: u32): bool {
  const up = load<u32>(number == LVT_LINT0 ? INTR : NMI_PIN) != 0;
  return up != ((entry & ACTIVE_LOW) != 0);
}
@inline function isLevel(entry: u32, number: u32): bool {
  return number == LVT_LINT0 && (entry & (MODE | LEVEL)) == LEVEL;
}

/** A level that is up asks once, until its EOI. */
export function askByLevel(v: usize, number: u32): void {
  const at = v + (number << 2);
  const entry = load<u32>(at, APIC_LVT);
  if (entry & (LVT_MASKED | LVT_REMOTE_IRR) || !isLevel(entry, number) || !apicEnabled(v) || !active(entry, number)) return;
  if (requestVector(v, entry & 0xff, true)) store<u32>(at, entry | LVT_REMOTE_IRR, APIC_LVT);
}

/** The level of a pin changed, for all CPUs. */
export function pinChanged(number: u32): void {
  const count = load<u32>(VCPU_COUNT);
  for (let i: u32 = 0; i < count; i++) {
    const v = vcpuAt(i);
    if (!apicEnabled(v)) {
      if (number == LVT_LINT1 && load<u32>(NMI_PIN)) store<u8>(v, 1, REQUEST_NMI);
      continue;
    }
    const entry = load<u32>(v + (number << 2), APIC_LVT);
    if (entry & LVT_MASKED) continue;
    if (isLevel(entry, number)) askByLevel(v, number);
    else if ((entry & MODE) != EXTINT && active(entry, number)) message(i, entry & 0xff, (entry >> 8) & 7, false);
  }
  // ExtINT is looked at between instructions.
  notice();
}

/** An EOI for `vector`: a level that is still up asks again. */
export function endAtPin(v: usize, number: u32, vector: u32): void {
  const at = v + (number << 2);
  const entry = load<u32>(at, APIC_LVT);
  if (!(entry & LVT_REMOTE_IRR) || (entry & 0xff) != vector) return;
  store<u32>(at, entry & ~LVT_REMOTE_IRR, APIC_LVT);
  askByLevel(v, number);
}

/** Whether the 8259 pair's vector is asked for here: an ExtINT message waits, or the line is up and reaches the CPU. */
export function externalLine(v: usize): bool {
  if (load<u8>(v, REQUEST_EXTINT)) return true;
  if (!apicEnabled(v)) return load<u32>(INTR) != 0;
  const entry = load<u32>(v + (LVT_LINT0 << 2), APIC_LVT);
  return (entry & (LVT_MASKED | MODE)) == EXTINT && active(entry, LVT_LINT0);
}
