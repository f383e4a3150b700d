/** A selector beyond the limit of the GDT that its register names. */
import { hex } from '../../address/format';
import { SEGMENTS, type SegmentName } from '../../x86/state';
import type { Check } from '../check';
import { bootsOf, longModeActive, placeOf, protectedMode, vcpuWord, written } from './boots';

const UNUSABLE = 0x10000;
const LOCAL = 4;

/** Bytes of the descriptor: those of TR and LDTR have 16 in IA-32e mode (SDM vol. 3A, “TSS Descriptor in 64-bit mode”). */
function sizeOfDescriptor(name: SegmentName, long: boolean): number {
  return long && (name === 'tr' || name === 'ldtr') ? 16 : 8;
}

export const gdtLimit: Check = {
  code: 'boot-gdt-limit',
  severity: 'warning',
  title: 'Selector beyond the limit of the GDT',
  on: ['machine'],
  *run(document) {
    for (const boot of bootsOf(document)) {
      for (const vcpu of boot.state.vcpus) {
        const { gdtr, segments, rflags } = vcpu.state;
        const virtual8086 = rflags !== undefined && (rflags & 0x20000n) !== 0n;
        if (!gdtr || !segments || !written(vcpu.origin) || !protectedMode(vcpu) || virtual8086) continue;
        const long = longModeActive(vcpu) === true;
        for (const name of SEGMENTS) {
          const segment = segments[name];
          if (!segment || (segment.selector & ~3) === 0 || (segment.selector & LOCAL) !== 0) continue;
          if ((segment.attributes & UNUSABLE) !== 0) continue;
          const last = (segment.selector & ~7) + sizeOfDescriptor(name, long) - 1;
          if (last <= gdtr.limit) continue;
          // TR is loaded by nobody else, and only its upper half is missing: what KVM's users do.
          const half = sizeOfDescriptor(name, long) === 16 && last - 8 <= gdtr.limit;
          yield {
            severity: half ? 'information' : 'warning',
            at: placeOf(boot, vcpu, name),
            evidence: 'proven',
            message: half
              ? `${vcpuWord(boot, vcpu)}${name.toUpperCase()} has selector ${hex(segment.selector)}, whose descriptor takes 16 bytes in IA-32e mode and ends at offset ${hex(last)}, beyond the limit ${hex(gdtr.limit)} of the GDT. The state that is set stands until somebody loads the register again, which is #GP.`
              : `${vcpuWord(boot, vcpu)}${name.toUpperCase()} has selector ${hex(segment.selector)}, whose descriptor ends at offset ${hex(last)}, and the GDT has limit ${hex(gdtr.limit)}. The state that is set stands until the guest loads the selector again, by IRET or a far jump too, which is #GP.`,
          };
        }
      }
    }
  },
};
