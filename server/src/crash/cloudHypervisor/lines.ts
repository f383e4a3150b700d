/** Lines of Cloud Hypervisor's log that say how a guest ended or lost a device (F13). */

/** A cheap test of the whole text. */
export const LOG_SIGN = /VmExit::Reset|Guest likely triple-faulted|Failed moving device BAR/;

/** The guest gave a BAR an address that the VMM has no room for (pci/src/bus.rs, config_space_write). */
export interface MovedBar {
  readonly from: bigint;
  readonly to: bigint;
  readonly size: bigint;
}

/** hypervisor/src/kvm/mod.rs, KvmVcpu::run, from v52.0 on. */
export const TRIPLE_FAULT = /\bGuest likely triple-faulted\b/;
/** vmm/src/cpu.rs: a vCPU left KVM_RUN by shutdown, or by HLT in theory. */
export const VCPU_RESET = /\bVmExit::Reset\b/;

const MOVED_BAR =
  /\bFailed moving device BAR: failed allocating new (?:32 bits |64 bits )?MMIO range: 0x([0-9a-f]{1,16})->0x([0-9a-f]{1,16})\(0x([0-9a-f]{1,16})\)/;
/** A line is looked at so far. */
const LOOKED_AT = 600;

export function readMovedBar(line: string): MovedBar | null {
  const match = MOVED_BAR.exec(line.slice(0, LOOKED_AT));
  if (!match) return null;
  const [from, to, size] = [match[1], match[2], match[3]].map((digits) => BigInt(`0x${digits}`));
  return { from: from!, to: to!, size: size! };
}
