/** Lines in which Firecracker and libkrun say that KVM ended a vCPU with KVM_EXIT_SHUTDOWN (F13). */

/** A cheap test of the whole text. */
export const SHUTDOWN_SIGN = /KVM_EXIT_SHUTDOWN|Unexpected exit reason on vcpu run/;

/**
 * At level info, before the VMM ends with status 0: Firecracker up to 1.14 (src/vmm/src/vstate/vcpu.rs, handle_kvm_exit) and
 * libkrun (src/vmm/src/linux/vstate.rs).
 */
export const TAKEN_FOR_SUCCESS = /\bReceived KVM_EXIT_SHUTDOWN signal\b/;
/** At level error, before the VMM ends with status 1: Firecracker from 1.15 on (arch/x86_64/vcpu.rs, run_arch_emulation). */
export const TAKEN_FOR_ERROR = /\bUnexpected exit reason on vcpu run: "?Shutdown\b/;

/** Firecracker's logger names the microVM and the thread or level: `[anonymous-instance:INFO]`, `[vm1:fc_vcpu0]`. */
const FIRECRACKER = /\bfirecracker\b|\[[\w-]{1,64}:(?:fc_vcpu|main\b|fc_api|INFO\b|ERROR\b)/i;
const LIBKRUN = /\b(?:libkrun(?:fw)?|boxlite|krunvm|krunkit|krun::)/i;
/** A line is looked at so far. */
const LOOKED_AT = 500;

/** The VMM whose log a line is of, by the model's folder. */
export function namedIn(line: string): 'firecracker' | 'libkrun' | null {
  const text = line.slice(0, LOOKED_AT);
  if (LIBKRUN.test(text)) return 'libkrun';
  return FIRECRACKER.test(text) ? 'firecracker' : null;
}
