/** The fixed ACPI description table in its form of ACPI 3.0, and the FACS that it points to (ACPI 6.5, 5.2.9 and 5.2.10). */
import { putText, type AcpiMaker } from './header';
import { tableOf, type AcpiTable } from './table';

const REVISION = 4;
const LENGTH = 244;
/** Latencies beyond these values say that there is no C2 and no C3. */
const NO_C2 = 101;
const NO_C3 = 1001;

/** Bits of `flags` (table 5.10). */
export const FADT_WBINVD = 1 << 0;
export const FADT_PROC_C1 = 1 << 2;
/** No power button, or one that a control method tells of. */
export const FADT_PWR_BUTTON = 1 << 4;
export const FADT_SLP_BUTTON = 1 << 5;
/** No RTC wake in the fixed registers. */
export const FADT_FIX_RTC = 1 << 6;
export const FADT_RESET_REG_SUP = 1 << 10;

/** Bits of `bootArchitecture` (table 5.11). */
export const LEGACY_DEVICES = 1 << 0;
export const HAS_8042 = 1 << 1;
export const VGA_NOT_PRESENT = 1 << 2;

export interface FadtOptions {
  readonly dsdt: AcpiTable;
  readonly facs: AcpiTable;
  readonly sci: number;
  /** First port of PM1a_EVT (4 bytes), PM1a_CNT (2 bytes) and PM_TMR (4 bytes). */
  readonly event: number;
  readonly control: number;
  readonly timer: number;
  /** CMOS index of the century. */
  readonly century: number;
  readonly flags: number;
  readonly bootArchitecture: number;
  /** A port, and what is written there to reset the machine. */
  readonly reset: { readonly port: number; readonly value: number };
  /** 4 where nothing is said. */
  readonly revision?: number;
  /** The SMI command port with what turns ACPI mode on and off; without one it is on from the start. */
  readonly smi?: { readonly port: number; readonly enable: number; readonly disable: number };
  /** First port of the general-purpose events, 4 bytes. */
  readonly gpe0?: number;
}

export function fadt(maker: AcpiMaker, options: FadtOptions): AcpiTable {
  const { dsdt, facs, event, control, timer, reset, smi, gpe0 } = options;
  return tableOf(
    'FACP',
    options.revision ?? REVISION,
    maker,
    LENGTH,
    (view, bytes) => {
      bytes[45] = 1; // preferred profile: desktop
      view.setUint16(46, options.sci, true);
      if (smi) {
        view.setUint32(48, smi.port, true);
        bytes.set([smi.enable, smi.disable], 52);
      }
      view.setUint32(56, event, true);
      view.setUint32(64, control, true);
      view.setUint32(76, timer, true);
      bytes.set([4, 2, 0, 4], 88); // lengths of PM1_EVT, PM1_CNT, PM2_CNT, PM_TMR
      view.setUint16(96, NO_C2, true);
      view.setUint16(98, NO_C3, true);
      bytes[108] = options.century;
      view.setUint16(109, options.bootArchitecture, true);
      view.setUint32(112, options.flags, true);
      port(view, 116, reset.port, 1);
      bytes[128] = reset.value;
      port(view, 148, event, 4);
      port(view, 172, control, 2);
      port(view, 208, timer, 4);
      if (gpe0 !== undefined) {
        view.setUint32(80, gpe0, true);
        bytes[92] = 4;
        port(view, 220, gpe0, 4);
      }
    },
    [
      { offset: 36, size: 4, to: facs },
      { offset: 40, size: 4, to: dsdt },
      // Xen complains where only one of the two is there.
      { offset: 132, size: 8, to: facs },
      { offset: 140, size: 8, to: dsdt },
    ],
  );
}

/** A generic address of a register of `size` bytes in I/O space (5.2.3.2). */
function port(view: DataView, at: number, first: number, size: 1 | 2 | 4): void {
  view.setUint8(at, 1);
  view.setUint8(at + 1, 8 * size);
  // Access size: byte, word, double word.
  view.setUint8(at + 3, { 1: 1, 2: 2, 4: 3 }[size]);
  view.setBigUint64(at + 4, BigInt(first), true);
}

/** Version 1; it has no checksum. */
export function facs(): AcpiTable {
  const bytes = new Uint8Array(64);
  putText(bytes, 0, 'FACS');
  new DataView(bytes.buffer).setUint32(4, bytes.length, true);
  bytes[32] = 1;
  return { bytes, alignment: 64, pointers: [], checksums: [] };
}
