/** Memory or devices at addresses that no page-table entry of the CPU can hold. */
import { formatRange, hex } from '../../address/format';
import type { Region } from '../../machine/machine';
import { cpuOf } from '../bootState/cpu';
import type { Check } from '../check';

/** MAXPHYADDR is 52 at most (SDM vol. 3A, “Enumeration of Paging Features by CPUID”). */
const WIDEST = 52;

/** QEMU and EFI maps may name the whole address space once; a hole names nothing. */
function counts({ kind, range }: Region): boolean {
  return kind !== 'hole' && kind !== 'mmio' && range.end > range.start;
}

export const physicalWidth: Check = {
  code: 'beyond-physical-width',
  severity: 'error',
  title: 'Memory beyond the CPU’s physical addresses',
  on: ['machine'],
  *run(document) {
    for (const machine of document.machines) {
      const said = document.language === 'memmap' ? null : cpuOf(machine).physicalWidth;
      const width = said?.value ?? WIDEST;
      const end = 1n << BigInt(width);
      for (const region of machine.regions) {
        if (!counts(region) || region.range.end <= end) continue;
        const origin = said?.origin;
        yield {
          severity: document.language === 'memmap' ? 'warning' : 'error',
          at: region.at,
          evidence: 'proven',
          message: `${region.name} ${formatRange(region.range)} goes beyond ${hex(end)}, the end of ${width} physical address bits${said ? '' : ', the most that x86-64 has'}. ${
            document.language === 'memmap'
              ? 'No CPU addresses it: the entry is broken, or the text was edited.'
              : 'The guest cannot map it: the address bits are reserved in its page tables, and a use of them is a page fault.'
          }`,
          ...(origin?.kind === 'text' && region.at
            ? { related: [{ at: origin, message: `The width of the CPU: ${width} bits.` }] }
            : {}),
        };
      }
    }
  },
};
