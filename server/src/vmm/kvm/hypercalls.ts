/**
 * KVM's hypercalls: Linux arch/x86/kvm/x86.c (____kvm_emulate_hypercall); Documentation/virt/kvm/x86/hypercalls.rst;
 * include/uapi/linux/kvm_para.h has the numbers. Intel's instruction works on AMD's CPU and the other way about.
 */

const VAPIC_POLL_IRQ = 1n;
const CLOCK_PAIRING = 9n;
const EPERM = 1n;
const EOPNOTSUPP = 95n;
const ENOSYS = 1000n;

/**
 * The answer for rAX. Clocks are paired on a host whose own clock source is the TSC; here they are not, as on any other host.
 * Of the rest, each is offered by a CPUID bit that the models leave out.
 */
export function kvmHypercall(number: bigint, cpl: number): bigint {
  if (cpl !== 0) return -EPERM;
  if (number === VAPIC_POLL_IRQ) return 0n;
  return number === CLOCK_PAIRING ? -EOPNOTSUPP : -ENOSYS;
}
