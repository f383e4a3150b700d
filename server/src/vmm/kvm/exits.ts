/** What of KVM no model on it has: for every report. What KVM exits to the VMM with is each VMM's own table. */

/**
 * A triple fault is KVM_EXIT_SHUTDOWN; HLT stays in the kernel while the local APIC does; an access that no in-kernel device
 * answers is KVM_EXIT_IO or KVM_EXIT_MMIO, and reads what the VMM leaves in the buffer (Documentation/virt/kvm/api.rst, 5).
 */
export const KVM_NOT_MODELLED: readonly string[] = [
  'the host: CPUID is a plain model CPU without AVX behind KVM’s leaves, and time is counted in instructions',
  'KVM’s paravirtual features but kvm-clock: steal time, asynchronous page faults, paravirtual EOI, IPIs, TLB flushes and spin locks',
  'KVM’s instruction emulator: an instruction fetch or a guest page table where no memory is reads all ones here, and is KVM_EXIT_INTERNAL_ERROR or a longer walk there',
  'hypercalls that do something: clock pairing is refused as on a host whose clock is not the TSC, so there is no PTP clock',
  'machine-check banks (KVM shows 32), the PMU, memory types, and TSC offsets that move kvm-clock',
  'a software-disabled local APIC with LINT0 open, as KVM leaves vCPU 0: here it is enabled in virtual wire mode; a SIPI that no INIT came before starts a vCPU here, and is dropped by KVM',
];
