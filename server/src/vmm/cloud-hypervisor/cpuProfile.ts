/** The CPU that Cloud Hypervisor shows: KVM's, with the changes of required_common_cpuid_updates (arch/src/x86_64/mod.rs). */
import type { GuestDescription } from '../../machine/machine';
import type { CpuidModel } from '../../x86/cpuid/model';
import { kvmCpuProfile } from '../kvm/cpuProfile';
import type { CpuChoice } from '../model';
import { guestPhysicalWidth, physicalWidth } from './physicalWidth';
import type { CloudHypervisorVersion } from './versions';

const SIZES = 0x80000008;
const KVM_SIGNATURE = 0x40000000;
const KVM_FEATURES = 0x40000001;
/** TSC and local APIC timer in kHz, as VMware has it. */
const TIMING = 0x40000010;
const KHZ = 1_000_000;
const MSI_EXT_DEST_ID = 1 << 15;

export function cloudHypervisorCpu(
  version: CloudHypervisorVersion,
  guest: GuestDescription,
  cpu: CpuChoice,
): CpuidModel {
  const { facts } = version;
  let model = kvmCpuProfile(cpu, guest.vcpus.value);
  const physical = physicalWidth(version, guest, cpu.vendor);
  const guestPhysical = guestPhysicalWidth(version, physical, cpu.vendor);
  const [sizes, ...others] = model.cpuid(SIZES, 0, 0);
  const widths = ((sizes & 0xff00ff00) | (guestPhysical << 16) | physical) >>> 0;
  model = model.replace(SIZES, null, [widths, ...others]);
  if (facts.extendedDestinations) model = model.force(KVM_FEATURES, 0, { eax: MSI_EXT_DEST_ID });
  if (!facts.tscLeaf) return model;
  const [, ...signature] = model.cpuid(KVM_SIGNATURE, 0, 0);
  return model.replace(KVM_SIGNATURE, null, [TIMING, ...signature]).replace(TIMING, null, [KHZ, KHZ, 0, 0]);
}
