/** How wide a physical address is in the guest: the host's width, what SME takes from it, and the config's limit. */
import type { CpuVendor } from '../../x86/cpuid/answers';
import type { GuestDescription } from '../../machine/machine';
import { numberOption } from './origin';
import type { CloudHypervisorVersion } from './versions';

/**
 * The model's hosts: an Intel server with 46 bits; an AMD EPYC with 48, of which SME takes 5 (CPUID 0x8000001F EBX 11:6), the
 * numbers of the report in cloud-hypervisor PR 8291.
 */
const HOST_WIDTH = {
  intel: { physical: 46, takenBySme: 0 },
  amd: { physical: 48, takenBySme: 5 },
} as const satisfies Record<CpuVendor, { physical: number; takenBySme: number }>;

/** DEFAULT_MAX_PHYS_BITS (vmm/src/vm_config.rs). */
const DEFAULT_LIMIT = 46;

/** PhysAddrSize in bits: `physical_bits` (vmm/src/vm.rs) of `get_host_cpu_phys_bits` (arch/src/x86_64/mod.rs). */
export function physicalWidth(
  { facts }: CloudHypervisorVersion,
  guest: GuestDescription,
  vendor: CpuVendor,
): number {
  const { physical, takenBySme } = HOST_WIDTH[vendor];
  const host = facts.cutsBySme ? physical - takenBySme : physical;
  const limit = numberOption(guest, 'cpus.max_phys_bits') ?? (facts.limitsPhysicalBits ? DEFAULT_LIMIT : 64);
  return Math.min(host, limit);
}

/**
 * GuestPhysAddrSize in bits. KVM gives the host's MAXPHYADDR, 48 at most where nested page tables have four levels
 * (Linux arch/x86/kvm/cpuid.c, leaf 0x80000008), and Cloud Hypervisor left it so until v53.0.
 */
export function guestPhysicalWidth(
  version: CloudHypervisorVersion,
  physical: number,
  vendor: CpuVendor,
): number {
  return version.facts.setsGuestPhysicalBits ? physical : Math.min(HOST_WIDTH[vendor].physical, 48);
}

/** Past the last address that a device may have: `mmio_address_space_size` (vmm/src/memory_manager.rs). */
export function endOfDevices(width: number): bigint {
  return (1n << BigInt(width)) - 0x10000n;
}
