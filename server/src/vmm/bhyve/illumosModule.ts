/** What the vmm module of the illumos kernel does that other kernels' vmm does not: interrupt commands, and a guest's end. */
import type { AddressRange } from '../../address/range';
import type { Board, BoardInputs } from '../model';
import { interprocessorInterrupt } from './interruptCommand';
import { guestMappings, HOST_DEBUG, tearDownGuest } from './tearDown';
import type { BhyveFacts } from './versions';

/** `bootrom` is where a boot ROM is mapped that the machine's regions do not show as it is; null leaves it to them. */
export function illumosModule(
  { machine, deliver }: Pick<BoardInputs, 'machine' | 'deliver'>,
  { os, ipiShorthand, guestPageTable }: BhyveFacts,
  bootrom: AddressRange | null,
): Pick<Board, 'interprocessorInterrupt' | 'tearDown'> {
  if (os !== 'illumos') return {};
  return {
    interprocessorInterrupt: (icr, vcpu, core) => {
      const waitsForStart = (other: number) => other < core.vcpus && core.activity(other) === 'wait-for-sipi';
      return interprocessorInterrupt(ipiShorthand, { deliver, waitsForStart }, icr, vcpu);
    },
    ...(guestPageTable === 'none'
      ? {}
      : {
          tearDown: (core, why) =>
            tearDownGuest(core, guestMappings(machine, 'bhyve', bootrom), why, {
              ranges: guestPageTable,
              debug: machine.settings?.get(HOST_DEBUG)?.value !== false,
            }),
        }),
  };
}
