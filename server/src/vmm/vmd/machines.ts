/** The machines of a vm.conf: one a VM that vmd would register, with its memory laid out. */
import { MIB } from '../../address/range';
import type { Machine } from '../../machine/machine';
import { fromText, type Fact, type VmmOrigin } from '../../machine/origin';
import { imagesOf, sourceRange, type VmConfig, type VmdConfig } from './config';
import { createMemoryMap, regionsOf, type VmdRange } from './layout';
import { DEFAULT_MEMORY, type VmdVersion } from './versions';

/** From here on a number is no size, and of the longest ones the reader keeps no digits. */
const NO_SIZE = 1n << 63n;

/** Every VM but the duplicates, which vmd drops. */
export function machinesOf(config: VmdConfig): Machine[] {
  const { version } = config;
  // Most VMs of a file have one of a few sizes.
  const layouts = new Map<bigint, VmdRange[]>();
  const layoutFor = (memory: bigint): VmdRange[] => {
    const layout = layouts.get(memory) ?? createMemoryMap(version, memory);
    layouts.set(memory, layout);
    return layout;
  };
  return config.vms.filter((vm) => !vm.duplicateOf).map((vm) => machineOf(vm, version, layoutFor));
}

function machineOf(vm: VmConfig, version: VmdVersion, layoutFor: (memory: bigint) => VmdRange[]): Machine {
  const nameAt = sourceRange(vm.block.name);
  const memory = memoryOf(vm, version);
  const memoryAt = vm.memory ? sourceRange(vm.memory.option) : nameAt;
  return {
    name: vm.name,
    vmm: 'vmd',
    version: version.id,
    memory,
    // The grammar has no keyword for it; vm_register takes 0 as 1.
    vcpus: { value: 1, origin: vmmOrigin(version, 'usr.sbin/vmd/vmd.c rev 1.169, vm_register') },
    ...(vm.bootDevice
      ? { bootDevice: { value: vm.bootDevice.device, origin: fromText(sourceRange(vm.bootDevice)) } }
      : {}),
    regions: memory ? regionsOf(version, layoutFor(memory.value), memoryAt, vm.memory !== null) : [],
    images: imagesOf(vm),
    at: sourceRange(vm.block),
    nameAt,
  };
}

function memoryOf(vm: VmConfig, version: VmdVersion): Fact<bigint> | null {
  if (!vm.memory) {
    return { value: DEFAULT_MEMORY, origin: vmmOrigin(version, 'usr.sbin/vmd/vmd.h, VM_DEFAULT_MEMORY') };
  }
  const { size, option } = vm.memory;
  const origin = fromText(sourceRange(option));
  if (size.ok) return { value: size.bytes, origin };
  // vmd lays nothing out for it; another VMM may take it.
  const tooLarge = size.reason === 'too large' && size.given !== null && size.given < NO_SIZE;
  return tooLarge ? { value: (size.given / MIB) * MIB, origin } : null;
}

function vmmOrigin(version: VmdVersion, citation: string): VmmOrigin {
  return { kind: 'vmm', vmm: 'vmd', version: version.id, citation };
}
