/** A CS whose bits and the mode of the CPU do not fit each other. */
import { hex } from '../../address/format';
import { bit } from '../../x86/bitField';
import type { GuestState } from '../../x86/entryChecks/guestState';
import type { Check } from '../check';
import { bootsOf, longModeActive, placeOf, protectedMode, vcpuWord, written } from './boots';

const L = 0x2000;
const D = 0x4000;

/** MOV to CR0 (SDM vol. 2): #GP where it activates IA-32e mode while CS.L is set. */
function active({ efer, cr0 }: GuestState): string {
  const waits = efer !== undefined && cr0 !== undefined && bit(efer, 8) && !bit(cr0, 31);
  return waits ? ' EFER.LME is 1, and the MOV to CR0 that sets PG is #GP while CS.L is 1.' : '';
}

export const segmentMode: Check = {
  code: 'boot-segment-mode',
  severity: 'warning',
  title: 'CS of another mode than the CPU’s',
  on: ['machine'],
  *run(document) {
    for (const boot of bootsOf(document)) {
      for (const vcpu of boot.state.vcpus) {
        const cs = vcpu.state.segments?.cs;
        const long = longModeActive(vcpu);
        if (!cs || long === undefined || !written(vcpu.origin)) continue;
        const at = placeOf(boot, vcpu, 'cs');
        const width = (cs.attributes & D) !== 0 ? '32-bit' : '16-bit';
        const rights = `CS has access rights ${hex(cs.attributes)}`;
        if (!long && (cs.attributes & L) !== 0)
          yield {
            at,
            evidence: 'proven',
            message: `${vcpuWord(boot, vcpu)}${rights}, L=1, and EFER.LMA is 0. Outside IA-32e mode nobody looks at L: the CPU runs this as ${width} code, and 64-bit instructions decode as others.${active(vcpu.state)}`,
          };
        // L and D both set is a check of VM entry of its own.
        if (long && protectedMode(vcpu) && (cs.attributes & L) === 0)
          yield {
            severity: 'information',
            at,
            evidence: 'proven',
            message: `${vcpuWord(boot, vcpu)}${rights}, L=0, and EFER.LMA is 1: the guest starts in compatibility mode, ${width} code. That is legal; exceptions take 16-byte gates all the same, and 64-bit code needs a far jump first.`,
          };
      }
    }
  },
};
