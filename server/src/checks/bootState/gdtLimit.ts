/** A selector beyond the limit of the GDT that its register names. */
import { hex } from '../../address/format';
import { SEGMENTS } from '../../x86/state';
import type { Check } from '../check';
import { bootsOf, placeOf, protectedMode, vcpuWord, written } from './boots';

const UNUSABLE = 0x10000;
const LOCAL = 4;

/** Of a descriptor; that the one of TR takes twice as many in IA-32e mode is `boot-descriptor`’s to tell. */
const DESCRIPTOR_SIZE = 8;

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
        for (const name of SEGMENTS) {
          const segment = segments[name];
          if (!segment || (segment.selector & ~3) === 0 || (segment.selector & LOCAL) !== 0) continue;
          if ((segment.attributes & UNUSABLE) !== 0) continue;
          const last = (segment.selector & ~7) + DESCRIPTOR_SIZE - 1;
          if (last <= gdtr.limit) continue;
          yield {
            at: placeOf(boot, vcpu, name),
            evidence: 'proven',
            message: `${vcpuWord(boot, vcpu)}${name.toUpperCase()} has selector ${hex(segment.selector)}, whose descriptor ends at offset ${hex(last)}, and the GDT has limit ${hex(gdtr.limit)}. The state that is set stands until the guest loads the selector again, by IRET or a far jump too, which is #GP.`,
          };
        }
      }
    }
  },
};
