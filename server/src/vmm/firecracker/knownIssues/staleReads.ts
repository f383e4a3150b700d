/** A read that nobody answered gave the guest what an earlier exit had left, up to 1.15. */
import { MIB } from '../../../address/range';
import type { KnownIssue, ShownRun, SimulationCell } from '../../../machine/knownIssue';
import { simulatedGuest } from '../../../machine/simulatedGuest';
import { FIRECRACKER_VERSIONS, NEWEST_FIRECRACKER } from '../versions';

const CHANGE =
  'firecracker-microvm/firecracker pull request 5800, commit 0296a9f33 (2026-03-30), first in tag v1.16.0';
const CHOSEN = {
  kind: 'vmm',
  vmm: 'firecracker',
  version: NEWEST_FIRECRACKER.id,
  citation: `chosen for the simulation of: ${CHANGE}`,
} as const;

const cell = (version: string): SimulationCell => ({
  name: version,
  version,
  probe: 'unanswered-read',
  parameters: {},
  evidence: 'reproduced',
});

export const firecrackerStaleReads: KnownIssue = {
  id: 'firecracker-stale-reads',
  vmm: 'firecracker',
  title: 'A read where no device is gives the guest bytes of an earlier access',
  link: 'https://github.com/bootpath/bootpath/blob/main/docs/known-issues/firecracker-stale-reads.md',
  affected: FIRECRACKER_VERSIONS.filter(({ facts }) => !facts.zeroedReads).map(({ id }) => id),
  statements: [
    {
      text: 'For a read that no device answers, Firecracker left the data buffer of kvm_run as it was, and KVM gave the guest what was in it.',
      evidence: 'proven',
      citation: `${CHANGE}: its message and src/vmm/src/vstate/vcpu.rs, handle_kvm_exit`,
    },
    {
      text: 'The buffer of MMIO is that of the last write of the vCPU; io.data_offset of a port access, which is 0x1000, lies in the same bytes.',
      evidence: 'proven',
      citation: 'Linux include/uapi/linux/kvm.h, struct kvm_run; arch/x86/kvm/x86.c, emulator_pio_in_out',
    },
    {
      text: 'A port that nobody answers is not concerned where KVM clears the data of an IN itself.',
      evidence: 'proven',
      citation: 'Linux arch/x86/kvm/x86.c, emulator_pio_in_out: memset of the data before the exit',
    },
    {
      text: 'From 1.16 on the buffer is filled with zeros before any device is asked.',
      evidence: 'proven',
      citation: CHANGE,
    },
    {
      text: 'A kernel that probes by reading, and takes all ones for "nothing here", takes such bytes for a device or a status.',
      evidence: 'inferred',
      citation:
        'cloud-hypervisor/cloud-hypervisor issue 7415 and pull request 8237 are such a case: Linux on AMD printed reasons for the last reset',
    },
  ],
  hypotheses: [],
  fix: 'Firecracker 1.16 or later, where such reads give zero; all ones, as a bus without an answer gives, come in no version.',
  simulation: {
    guest: simulatedGuest({ name: 'microVM', memory: 128n * MIB }, CHOSEN),
    cells: [cell('1.15'), cell('1.16')],
    reached: ({ probeStatus, console }: ShownRun) => {
      const [, first, second] = /read (0x[0-9a-f]+), behind a write .* (0x[0-9a-f]+)/.exec(console) ?? [];
      return probeStatus === 'leftover' && first && second
        ? `An address without a device gave ${first}, and ${second} behind a write of that value to another address.`
        : null;
    },
    shows:
      'The probe reads before and after a write elsewhere. The bytes are one buffer of the microVM here; KVM has one for every vCPU.',
  },
};
