/** The first vCPU of a guest of bhyve that starts a boot ROM. */
import type { BootState } from '../../machine/bootState';
import type { Machine } from '../../machine/machine';
import { bootStateOf, withoutEntry } from '../placed';
import { RESET } from './bootState';
import { bhyveVersion, NEWEST_BHYVE } from './versions';

/** Null without a ROM: then bhyveload or grub2-bhyve starts the guest, and which of them no config says. */
export function bhyveInitialState(machine: Machine, id: string): BootState | null {
  if (machine.memory === null || machine.regions.length === 0) return null;
  if (!machine.images.some(({ role }) => role === 'firmware')) return null;
  const version = bhyveVersion(id) ?? NEWEST_BHYVE;
  return bootStateOf([{ name: 'boot ROM', parts: [], state: { ...withoutEntry(RESET), rip: RESET.rip } }], {
    kind: 'vmm',
    vmm: 'bhyve',
    version: version.id,
    citation: 'lib/libvmmapi/amd64/vmmapi_machdep.c (before, vmmapi.c), vcpu_reset',
  });
}
