/** Whether MMX and SSE may execute now, and what MMX does to the x87 (SDM vol. 3, 2.5, 12.1 to 12.3 and 13.1; vol. 1, 9.5). */
import { CR0, CR4, FSW, FTW } from "../layout";
import { Reason } from "../events";
import { NM, raise, undefined_ } from "../fault";

const EM: u64 = 4;
const TS: u64 = 8;
const OSFXSR: u64 = 0x200;
const TOP: u16 = 0x3800;

function needDevice(): void {
  if (load<u64>(CR0) & TS) raise(NM, 0, Reason.DeviceNotAvailable, load<u64>(CR0));
}

/** An instruction on XMM registers: #UD with CR0.EM or without CR4.OSFXSR, then #NM with TS. */
export function needXmm(): void {
  if ((load<u64>(CR0) & EM) != 0 || !(load<u64>(CR4) & OSFXSR)) undefined_(Reason.VectorsDisabled);
  needDevice();
}

/** An instruction on MMX registers: #UD with CR0.EM, #NM with TS. */
export function needMmx(): void {
  if (load<u64>(CR0) & EM) undefined_(Reason.VectorsDisabled);
  needDevice();
}

/** What every MMX instruction but EMMS does to the x87 once its memory operand is read: TOP becomes 0, all registers valid. */
export function enterMmx(): void {
  store<u16>(FSW, load<u16>(FSW) & ~TOP);
  store<u8>(FTW, 0xff);
}

/** EMMS: TOP becomes 0, all registers empty. */
export function leaveMmx(): void {
  store<u16>(FSW, load<u16>(FSW) & ~TOP);
  store<u8>(FTW, 0);
}
