/** The HPET description table (IA-PC HPET Specification 1.0a, 3.2.4). */
import type { AcpiMaker } from './header';
import { tableOf, type AcpiTable } from './table';

const LENGTH = 56;

/** `block`: the low half of the capabilities register. `minimumTick`: the shortest safe period in periodic mode, in ticks. */
export function hpetTable(maker: AcpiMaker, base: bigint, block: number, minimumTick: number): AcpiTable {
  return tableOf('HPET', 1, maker, LENGTH, (view) => {
    view.setUint32(36, block, true);
    // A generic address in memory: space, width, offset and access size are 0.
    view.setBigUint64(44, base, true);
    view.setUint16(53, minimumTick, true);
  });
}
