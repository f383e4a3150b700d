/** bhyve's FADT of 268 bytes and its FACS (acpi.c, build_fadt and build_facs; before, their iasl templates). */
import { putText, type AcpiMaker } from '../acpi/header';
import { tableOf, type AcpiTable } from '../acpi/table';
import { PM_PORTS, SCI, SMI_COMMAND } from './powerManagement';

const LENGTH = 268;
const REVISION = 5;
const MINOR_REVISION = 1;
const CENTURY = 0x32;
/** VGA not present, no PCIe ASPM. */
const BOOT_FLAGS = (1 << 2) | (1 << 4);
/** WBINVD, C1, sleep button, 32-bit timer, reset register, headless, physical APIC destinations. */
const FLAGS = (1 << 0) | (1 << 2) | (1 << 5) | (1 << 8) | (1 << 10) | (1 << 12) | (1 << 19);
const RESET = { port: 0xcf9, value: 6 } as const;
const GPE0_LENGTH = 2;
const FACS_VERSION = 2;
/** Access sizes of a generic address. */
const [UNDEFINED, BYTE, WORD, DWORD] = [0, 1, 2, 3];

export interface BhyveFadt {
  readonly dsdt: AcpiTable;
  readonly facs: AcpiTable;
  readonly gpe0: boolean;
}

export function bhyveFadt(maker: AcpiMaker, { dsdt, facs, gpe0 }: BhyveFadt): AcpiTable {
  return tableOf(
    'FACP',
    REVISION,
    maker,
    LENGTH,
    (view, bytes) => {
      view.setUint16(46, SCI, true);
      view.setUint32(48, SMI_COMMAND.port, true);
      bytes.set([SMI_COMMAND.enable, SMI_COMMAND.disable], 52);
      view.setUint32(56, PM_PORTS.event, true);
      view.setUint32(64, PM_PORTS.control, true);
      view.setUint32(76, PM_PORTS.timer, true);
      if (gpe0) view.setUint32(80, PM_PORTS.gpe0, true);
      // Lengths of PM1_EVT, PM1_CNT, PM2_CNT, PM_TMR and GPE0.
      bytes.set([4, 2, 0, 4, gpe0 ? GPE0_LENGTH : 0], 88);
      bytes[108] = CENTURY;
      view.setUint16(109, BOOT_FLAGS, true);
      view.setUint32(112, FLAGS, true);
      const registers = [
        [116, 8, BYTE, RESET.port],
        [148, 32, WORD, PM_PORTS.event],
        [160, 0, UNDEFINED, 0],
        [172, 16, WORD, PM_PORTS.control],
        [184, 0, UNDEFINED, 0],
        [196, 8, UNDEFINED, 0],
        [208, 32, DWORD, PM_PORTS.timer],
        gpe0 ? [220, 8 * GPE0_LENGTH, BYTE, PM_PORTS.gpe0] : [220, 0, BYTE, 0],
        [232, 0, UNDEFINED, 0],
        [244, 8, BYTE, 0],
        [256, 8, BYTE, 0],
      ] as const;
      for (const [at, width, access, port] of registers) {
        bytes.set([1, width, 0, access], at);
        view.setBigUint64(at + 4, BigInt(port), true);
      }
      bytes[128] = RESET.value;
      bytes[131] = MINOR_REVISION;
    },
    [
      { offset: 36, size: 4, to: facs },
      { offset: 40, size: 4, to: dsdt },
      { offset: 132, size: 8, to: facs },
      { offset: 140, size: 8, to: dsdt },
    ],
  );
}

export function bhyveFacs(): AcpiTable {
  const bytes = new Uint8Array(64);
  putText(bytes, 0, 'FACS');
  new DataView(bytes.buffer).setUint32(4, bytes.length, true);
  bytes[32] = FACS_VERSION;
  return { bytes, alignment: 64, pointers: [], checksums: [] };
}
