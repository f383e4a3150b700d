/** A vCPU's state between plain data and the area that the core keeps it in. */
import { GENERAL_REGISTERS, SEGMENTS } from '../src/x86/state';
import type { SegmentState, VcpuState } from '../src/x86/state';
import * as L from './assembly/layout';

/** Reads a copy of the vCPU area at `base`. */
export function readState(view: DataView, base: number, vcpu: number): VcpuState {
  const at = (address: number): number => base + address - L.CPU;
  const u64 = (address: number): bigint => view.getBigUint64(at(address), true);
  const u32 = (address: number): number => view.getUint32(at(address), true);
  const general = Object.fromEntries(
    GENERAL_REGISTERS.map((name, i) => [name, u64(L.REGS + 8 * i)]),
  ) as VcpuState['general'];
  const segments = Object.fromEntries(
    SEGMENTS.map((name, i) => {
      const s = at(L.SEGMENTS) + i * L.SEGMENT_SIZE;
      const segment: SegmentState = {
        selector: view.getUint16(s + L.SEG_SELECTOR, true),
        base: view.getBigUint64(s + L.SEG_BASE, true),
        limit: view.getUint32(s + L.SEG_LIMIT, true),
        attributes: view.getUint32(s + L.SEG_ATTRIBUTES, true),
      };
      return [name, segment];
    }),
  ) as VcpuState['segments'];
  const tpr = view.getUint32(L.VCPUS + vcpu * L.VCPU_SIZE + L.APIC_TPR, true);
  return {
    general,
    rip: u64(L.RIP),
    rflags: BigInt((arithmeticFlags(view, at(L.FLAG_RESULT), at(L.FLAG_AUX)) | u32(L.SYSTEM_FLAGS)) >>> 0),
    cr0: u64(L.CR0),
    cr2: u64(L.CR2),
    cr3: u64(L.CR3),
    cr4: u64(L.CR4),
    cr8: BigInt(tpr >> 4),
    efer: u64(L.EFER),
    segments,
    gdtr: { base: u64(L.GDTR_BASE), limit: u32(L.GDTR_LIMIT) },
    idtr: { base: u64(L.IDTR_BASE), limit: u32(L.IDTR_LIMIT) },
    dr: Array.from({ length: 8 }, (_, i) => u64(L.DR + 8 * i)),
  };
}

/** Everything of a state but the segments, into the current vCPU, which must be number `vcpu`. */
export function writeRegisters(view: DataView, vcpu: number, state: VcpuState): void {
  const u64 = (address: number, value: bigint): void =>
    view.setBigUint64(address, BigInt.asUintN(64, value), true);
  GENERAL_REGISTERS.forEach((name, i) => u64(L.REGS + 8 * i, state.general[name]));
  u64(L.RIP, state.rip);
  u64(L.BLOCK_RIP, state.rip);
  u64(L.CR0, state.cr0);
  u64(L.CR2, state.cr2);
  u64(L.CR3, state.cr3);
  u64(L.CR4, state.cr4);
  u64(L.EFER, state.efer);
  u64(L.GDTR_BASE, state.gdtr.base);
  u64(L.IDTR_BASE, state.idtr.base);
  view.setUint32(L.GDTR_LIMIT, state.gdtr.limit, true);
  view.setUint32(L.IDTR_LIMIT, state.idtr.limit, true);
  state.dr.forEach((value, i) => u64(L.DR + 8 * i, value));
  view.setUint32(L.VCPUS + vcpu * L.VCPU_SIZE + L.APIC_TPR, Number(state.cr8 & 15n) << 4, true);
  // CPL is the DPL of SS, but for real mode (0) and virtual-8086 mode (3).
  const real = (state.cr0 & 1n) === 0n;
  const v86 = (state.rflags & 0x20000n) !== 0n;
  view.setUint8(L.CPL, real ? 0 : v86 ? 3 : (state.segments.ss.attributes >> 5) & 3);
  view.setUint8(L.SHADOW, 0);
  view.setUint8(L.REPEATING, 0);
  view.setUint32(L.PENDING, L.EVENT_NONE, true);
}

/** The six arithmetic flags from their lazy form (assembly/flags.ts). */
function arithmeticFlags(view: DataView, resultAt: number, auxAt: number): number {
  const result = view.getBigInt64(resultAt, true);
  const aux = view.getUint32(auxAt, true);
  const carry = aux >>> 31;
  const overflow = carry ^ ((aux >>> 30) & 1);
  const sign = (result < 0n ? 1 : 0) ^ (aux & 1);
  let low = (Number(result & 0xffn) ^ (aux >>> 8)) & 0xff;
  let parity = 1;
  for (; low !== 0; low &= low - 1) parity ^= 1;
  const adjust = (aux >>> 3) & 1;
  return (
    carry | (parity << 2) | (adjust << 4) | ((result === 0n ? 1 : 0) << 6) | (sign << 7) | (overflow << 11)
  );
}
