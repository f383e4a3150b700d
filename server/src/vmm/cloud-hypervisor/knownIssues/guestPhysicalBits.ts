/** On AMD hosts the two widths of a physical address in CPUID differ, and a guest that goes by the larger one loses its devices. */
import type { KnownIssue, ShownRun, SimulationCell } from '../../../machine/knownIssue';
import { simulatedGuest } from '../../../machine/simulatedGuest';
import { MIB } from '../../../address/range';
import { decidedBy, NAME } from '../origin';
import { CLOUD_HYPERVISOR_VERSIONS, NEWEST_CLOUD_HYPERVISOR } from '../versions';

const REPORT =
  'cloud-hypervisor/cloud-hypervisor pull request 8291, "arch: Correctly set guest physical address space size for AMD", 2026-05-29';
const CHOSEN = decidedBy(NEWEST_CLOUD_HYPERVISOR.id, `chosen for the simulation of: ${REPORT}`);

const cell = (name: string, version: string, vendor: 'amd' | 'intel'): SimulationCell => ({
  name,
  version,
  vendor,
  probe: 'physical-widths',
  parameters: {},
  evidence: 'reproduced',
});

export const chvGuestPhysicalBits: KnownIssue = {
  id: 'chv-guest-phys-bits',
  vmm: NAME,
  title: 'On AMD hosts CPUID tells guests two widths of a physical address',
  link: 'https://github.com/bootpath/bootpath/blob/main/docs/known-issues/chv-guest-phys-bits.md',
  affected: CLOUD_HYPERVISOR_VERSIONS.filter(({ facts }) => !facts.setsGuestPhysicalBits).map(({ id }) => id),
  statements: [
    {
      text: 'On an EC2 c6a.metal host PhysAddrSize was 43 and GuestPhysAddrSize 48: the firmware stage0 put BAR0 of a device to 0xff8000000000, the VMM logged "failed allocating new MMIO range", and the boot hung.',
      evidence: 'proven',
      citation: REPORT,
    },
    {
      text: 'get_host_cpu_phys_bits takes what SME needs, CPUID 0x8000001F EBX 11:6, off the host’s width, and that number sets PhysAddrSize and the end of the 64-bit device area: 0x7ffffeeffff for 43 bits.',
      evidence: 'proven',
      citation:
        'tag v52.0: arch/src/x86_64/mod.rs, get_host_cpu_phys_bits and required_common_cpuid_updates; vmm/src/memory_manager.rs, mmio_address_space_size',
    },
    {
      text: 'GuestPhysAddrSize stays as KVM gives it: the host’s MAXPHYADDR, at most 48 with four levels of nested page tables.',
      evidence: 'proven',
      citation:
        'Linux arch/x86/kvm/cpuid.c, leaf 0x80000008; older kernels leave it 0, which means PhysAddrSize',
    },
    {
      text: 'Where max_phys_bits limits the width on any host, the two differ in the same way, since only PhysAddrSize was set.',
      evidence: 'reproduced',
      citation: 'the same function; this model',
    },
    {
      text: 'From v53.0 on SME no longer counts, and both fields are set alike.',
      evidence: 'proven',
      citation: 'commits 99f553798 and eb75a4ead of 2026-05-29',
    },
  ],
  hypotheses: [],
  fix: 'v53.0 or later. Before, no option makes the two alike on such a host; a guest that goes by PhysAddrSize (Linux, EDK2) is not concerned.',
  simulation: {
    guest: simulatedGuest({ name: 'vm', memory: 512n * MIB }, CHOSEN),
    cells: [
      cell('v52.0 on an AMD host with SME', 'v52.0', 'amd'),
      cell('v53.0 on the same host', 'v53.0', 'amd'),
      cell('v52.0 on an Intel host', 'v52.0', 'intel'),
    ],
    reached: ({ probeStatus, console }: ShownRun) => {
      const widths = /PhysAddrSize (\d+), GuestPhysAddrSize (\d+)/.exec(console);
      return probeStatus === 'guest-wider' && widths
        ? `The guest is told ${widths[1]} bits of physical address, and ${widths[2]} by the other field; no device can be at or above 2^${widths[1]}.`
        : null;
    },
    shows:
      'The model’s AMD host has 48 bits of which SME takes 5, as in the report, and the same arithmetic gives the report’s numbers. That a device is moved there and lost is not shown: the model has no device with a BAR.',
  },
};
