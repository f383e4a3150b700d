/**
 * What libkrun does with the exits that no device answers, and how its process ends
 * (containers/libkrun src/vmm/src/linux/vstate.rs, run_emulation; src/vmm/src/lib.rs, Vmm::process; src/devices/src/bus.rs).
 */
import type { KvmRunData } from '../kvm/runData';
import type { MmioAccess, Verdict } from '../model';

/** FC_EXIT_CODE_OK. */
export const EXIT_OK = 0;

/** KVM zeroes the buffer of an IN, and libkrun's bus leaves it as it is where no device answers. */
export function unansweredPort(): Verdict {
  return { kind: 'answer', value: 0n };
}

/** A write is dropped, and a read gives what the exits before it left in the buffer (Bus::read), in every version up to 1.19.0. */
export function unansweredMmio(access: MmioAccess, runData: KvmRunData): Verdict {
  return { kind: 'answer', value: runData.unanswered(access) };
}

/**
 * The 0xfe of the guest makes the exit event readable. No vCPU has left an exit code, so it is FC_EXIT_CODE_OK, unless
 * libkrun's init has stored one over virtio-fs before. Nothing is logged above level debug.
 */
export function resetCommand(): Verdict {
  return {
    kind: 'vmm-exit',
    exitStatus: EXIT_OK,
    reason:
      'the guest wrote 0xfe to port 0x64: libkrun’s i8042 signals the exit event, and the process ends with status 0 without a word',
  };
}

/** KVM_EXIT_SHUTDOWN stops the vCPU with FC_EXIT_CODE_OK: from outside it looks like a clean end. */
export function tripleFault(): Verdict {
  return {
    kind: 'vmm-exit',
    exitStatus: EXIT_OK,
    reason:
      'libkrun takes KVM_EXIT_SHUTDOWN for the guest’s own shutdown: the process ends with status 0, and only the log level info tells ("Received KVM_EXIT_SHUTDOWN signal")',
  };
}
