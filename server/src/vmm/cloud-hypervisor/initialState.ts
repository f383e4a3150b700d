/** What a guest of Cloud Hypervisor finds before its first instruction, as far as its config decides it. */
import type { BootState } from '../../machine/bootState';
import type { Machine } from '../../machine/machine';
import { bootStateOf, withoutEntry, type BootMethod, type Placed } from '../placed';
import { bootTables, linuxEntry32, linuxEntry64, pvhEntry } from './bootState';
import { guestMemoryMap } from './memoryMap';
import { decidedBy } from './origin';
import { bootParameters, startInfoParts } from './startInfo';
import { systemParts } from './systemParts';
import { cloudHypervisorVersion } from './versions';

/** Of a vCPU of the model's Intel host without five-level paging. Null for a memory map, and where the VM is refused. */
export function cloudHypervisorInitialState(machine: Machine, id: string): BootState | null {
  if (machine.memory === null || machine.regions.length === 0) return null;
  const version = cloudHypervisorVersion(id);
  const { facts } = version;
  const kernel = machine.images.some(({ role }) => role === 'kernel');
  const system = systemParts(machine, version, 'intel', kernel ? (machine.commandLine?.value ?? '') : null);
  const map = guestMemoryMap(machine);
  const parameters = bootParameters(null, 0n, map, null);
  const page: Placed[] = typeof parameters === 'string' ? [] : [parameters];
  const methods: BootMethod[] = [
    {
      name: 'PVH',
      parts: [...system, ...startInfoParts(map, null), ...bootTables('pvh', false)],
      state: withoutEntry(pvhEntry(0n)),
    },
  ];
  if (facts.linuxBoot32)
    methods.push({
      name: 'the 32-bit entry of a bzImage',
      parts: [...system, ...page, ...bootTables('linux32', false)],
      state: withoutEntry(linuxEntry32(0n)),
    });
  if (facts.linuxBoot64)
    methods.push({
      name: '64-bit Linux boot protocol',
      parts: [...system, ...page, ...bootTables('linux64', false)],
      state: withoutEntry(linuxEntry64(0n, false)),
    });
  // As KVM leaves a vCPU, which is said in no source of the VMM's own.
  if (facts.rawFirmware)
    methods.push({ name: 'the reset vector', parts: [...system, ...startInfoParts(map, null)], state: {} });
  return bootStateOf(
    methods,
    decidedBy(id, 'arch/src/x86_64/mod.rs, configure_system; regs.rs, setup_sregs'),
  );
}
