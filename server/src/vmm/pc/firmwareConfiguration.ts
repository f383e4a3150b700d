/** What the plain PC's fw_cfg holds: items and files by QEMU's names (docs/specs/fw_cfg). */
import { FW_CFG_ID, FW_CFG_NOGRAPHIC, FW_CFG_SIGNATURE, FwCfg } from '../../devices/fwCfg';
import { e820Bytes } from '../e820';
import type { BoardInputs } from '../model';
import { pcInstalled, pcMemoryMap } from './layout';

/** Items that hold numbers. */
const FW_CFG_RAM_SIZE = 0x0003;
const FW_CFG_NB_CPUS = 0x0005;
const FW_CFG_MAX_CPUS = 0x000f;

export function firmwareConfiguration(inputs: BoardInputs, memory: bigint): FwCfg {
  const vcpus = inputs.machine.vcpus.value;
  const size = new Uint8Array(8);
  new DataView(size.buffer).setBigUint64(0, memory, true);
  return new FwCfg({
    items: new Map([
      [FW_CFG_SIGNATURE, new TextEncoder().encode('QEMU')],
      [FW_CFG_ID, Uint8Array.of(3, 0, 0, 0)],
      [FW_CFG_RAM_SIZE, size],
      [FW_CFG_NOGRAPHIC, Uint8Array.of(1, 0)],
      [FW_CFG_NB_CPUS, Uint8Array.of(vcpus, 0)],
      [FW_CFG_MAX_CPUS, Uint8Array.of(vcpus, 0)],
    ]),
    files: [
      { name: 'etc/e820', bytes: e820Bytes(inputs.firmware ? pcInstalled(memory) : pcMemoryMap(memory)) },
      // Milliseconds until a reset where nothing boots; all ones: never.
      { name: 'etc/boot-fail-wait', bytes: Uint8Array.of(0xff, 0xff, 0xff, 0xff) },
    ],
    readMemory: (address, length) => inputs.readMemory(address, length),
    writeMemory: (address, bytes) => inputs.writeMemory(address, bytes),
  });
}
