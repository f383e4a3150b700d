/** Accesses of the core's bus as boards and observers see them. */
import { PORT_REP, PORT_STRING, REFUSED, type CpuProfile, type Refused } from '../../emulator/face';
import type { PortAccess } from '../vmm/model';

/** Bytes of a port access. */
export type Size = 1 | 2 | 4;

/** `flags` as the core gives them: PORT_STRING, PORT_REP. */
export function portAccess(
  port: number,
  size: Size,
  write: boolean,
  value: number,
  flags: number,
): PortAccess {
  return {
    port,
    size,
    write,
    value,
    string: (flags & PORT_STRING) !== 0,
    rep: (flags & PORT_REP) !== 0,
  };
}

/** Null for an access that the VMM did not answer. */
export function answered(answer: number | bigint | Refused): bigint | null {
  return answer === REFUSED ? null : BigInt(answer);
}

/** EAX, EBX, ECX and EDX as one number, EAX lowest. */
export function joined(answer: ReturnType<CpuProfile['cpuid']>): bigint {
  return answer.reduce((sum, value, i) => sum | (BigInt(value >>> 0) << BigInt(32 * i)), 0n);
}
