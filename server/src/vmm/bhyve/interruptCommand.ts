/**
 * What bhyve's in-kernel local APIC on illumos does with an interrupt command, by generation. Read: illumos-gate
 * `usr/src/uts/i86pc/io/vmm/io/vlapic.c` vlapic_icrlo_write_handler and `vmm_instruction_emul.c` vie_mmio_write, vie_exitinfo of
 * commits 3e1c5f3a8 (2020-09-25, issue 13030), 06524cf4e (2020-10-29, issue 13253) and 2606939d9 (2021-01-08, issue 13275).
 */
import { hex } from '../../address/format';
import { decodeIcr, explainIcr, type InterruptCommand } from '../../x86/icr';
import type { BoardInputs, Verdict } from '../model';
import type { BhyveFacts } from './versions';

const [FIXED, NMI, INIT, SIPI] = [0, 4, 5, 6];
const [NO_SHORTHAND, ALL_BUT_SELF] = [0, 3];
/** VM_MAXCPU of sys/vmm.h in 2020; vlapic_icrlo_write_handler compares the destination with it. */
const MAX_VCPUS = 32;
/** The local APIC has taken care of the command: also where it ignores it. */
const DONE: Verdict = { kind: 'answer', value: 0n };

/** The vCPUs that a command may go to. */
export interface Receivers {
  readonly deliver: BoardInputs['deliver'];
  /** True before a vCPU has had its start-up IPI. */
  readonly waitsForStart: (vcpu: number) => boolean;
}

/**
 * `icr` as an xAPIC has it, destination in bits 63:56 (bhyve offers x2APIC on request only). Null leaves the command to the
 * local APIC of the core, which sends it as the manuals say.
 */
export function interprocessorInterrupt(
  support: BhyveFacts['ipiShorthand'],
  receivers: Receivers,
  icr: bigint,
  sender: number,
): Verdict | null {
  const command = decodeIcr(icr);
  const { mode, assert } = command;
  if (mode === FIXED || mode === NMI) return null;
  if (mode === INIT && !assert) return DONE;
  if (support === 'full') return sendInFull(icr, command);
  return sendByDestination(support, receivers, icr, sender, command);
}

/**
 * Since issue 13275: INIT and SIPI go to a destination or to all but the sender, as AMD's manual has it; the other two
 * shorthands are left to userland. Lowest priority, SMI and the reserved modes do nothing.
 */
function sendInFull(icr: bigint, { mode, shorthand }: InterruptCommand): Verdict | null {
  if (mode !== INIT && mode !== SIPI) return DONE;
  return shorthand === NO_SHORTHAND || shorthand === ALL_BUT_SELF ? null : refused(icr);
}

/**
 * Before it: INIT and SIPI from vCPU 0 to the vCPU whose number is in the destination field, whatever the shorthand says, and
 * without effect on one that runs already; everything else is handed to userland by a negative return.
 */
function sendByDestination(
  support: 'panic' | 'refused',
  receivers: Receivers,
  icr: bigint,
  sender: number,
  { mode, vector, destination }: InterruptCommand,
): Verdict {
  if ((mode === INIT || mode === SIPI) && sender === 0 && destination !== 0 && destination < MAX_VCPUS) {
    if (receivers.waitsForStart(destination)) receivers.deliver(vector, destination, false, mode, false);
    return DONE;
  }
  return support === 'panic' ? panicked(icr) : refused(icr);
}

const wrote = (icr: bigint): string => `the guest writes ICR ${hex(icr)} (${explainIcr(icr).summary})`;

/** The refusal as it went until commit 06524cf4e. */
function panicked(icr: bigint): Verdict {
  return {
    kind: 'host-panic',
    reason:
      `${wrote(icr)}: panic "bad pending MMIO state". vlapic_icrlo_write_handler returns -1, which asks for userland; ` +
      'lapic_mmio_write and vie_mmio_write pass it on and note no pending request, as they do for ESRCH; ' +
      'vm_handle_mmio_emul takes any negative value for an access that userland has to make and calls vie_exitinfo; ' +
      'there neither mmio_req_read nor mmio_req_write is VR_PENDING',
  };
}

/** And since: `VIES_USER_FALLBACK` makes an instruction-emulation exit of it. */
function refused(icr: bigint): Verdict {
  return {
    kind: 'vmm-exit',
    reason:
      `${wrote(icr)}: the in-kernel local APIC leaves it to userland, an instruction-emulation exit ` +
      '(VM_EXITCODE_INST_EMUL), and bhyve prints "Failed to emulate instruction sequence" and aborts',
  };
}
