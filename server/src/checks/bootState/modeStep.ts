/** Registers with which the guest's next step towards its mode, or the next interrupt, faults. */
import { hex } from '../../address/format';
import { bit } from '../../x86/bitField';
import type { GuestState } from '../../x86/entryChecks/guestState';
import type { Check, Found } from '../check';
import { bootsOf, placeOf, vcpuWord, written } from './boots';

const PE = 0;
const PG = 31;
const PAE = 5;
const LME = 8;
const LMA = 10;
const IF = 9;
/** 32 exceptions: with fewer gates some exception has none. */
const EXCEPTIONS = 32;

interface Step {
  readonly register: string;
  readonly message: string;
  readonly severity?: Found['severity'];
}

function stepsOf({ cr0, cr4, efer, rflags, idtr }: GuestState): Step[] {
  const steps: Step[] = [];
  if (cr0 !== undefined && cr4 !== undefined && efer !== undefined && !bit(cr0, PG)) {
    if (bit(efer, LME) && bit(cr0, PE) && !bit(cr4, PAE))
      steps.push({
        register: 'cr4',
        severity: 'information',
        message: `EFER ${hex(efer)} has LME=1 and CR4 ${hex(cr4)} has PAE=0. The MOV to CR0 that sets PG is #GP until the guest sets PAE (SDM vol. 3A, “Initializing IA-32e Mode”)`,
      });
  }
  if (cr0 !== undefined && bit(cr0, PE) && rflags !== undefined && bit(rflags, IF) && idtr) {
    const gate = efer !== undefined && bit(efer, LMA) ? 16 : 8;
    if (idtr.limit < EXCEPTIONS * gate - 1)
      steps.push({
        register: 'rflags',
        message: `RFLAGS ${hex(rflags)} has IF=1, and the IDT has limit ${hex(idtr.limit)}, less than ${EXCEPTIONS} gates of ${gate} bytes. The first external interrupt finds no gate: #GP, double fault, triple fault`,
      });
  }
  return steps;
}

export const modeStep: Check = {
  code: 'boot-mode-step',
  severity: 'warning',
  title: 'Registers with which the next step faults',
  on: ['machine'],
  *run(document) {
    for (const boot of bootsOf(document)) {
      for (const vcpu of boot.state.vcpus) {
        if (!written(vcpu.origin)) continue;
        for (const { register, message, severity } of stepsOf(vcpu.state))
          yield {
            ...(severity ? { severity } : {}),
            at: placeOf(boot, vcpu, register),
            evidence: 'proven',
            message: `${vcpuWord(boot, vcpu)}${message}.`,
          };
      }
    }
  },
};
