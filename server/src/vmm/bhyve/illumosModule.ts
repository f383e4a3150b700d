/** What the vmm module of the illumos kernel does that other kernels' vmm does not: interrupt commands, and a guest's end. */
import type { AddressRange } from '../../address/range';
import type { Board, BoardInputs } from '../model';
import { interprocessorInterrupt } from './interruptCommand';
import { booleanOf } from './settings';
import { guestMappings, HOST_DEBUG, HOST_MAPPING_ORDER, tearDownGuest } from './tearDown';
import type { BhyveFacts } from './versions';

/** `bootrom` is where a boot ROM is mapped that the machine's regions do not show as it is; null leaves it to them. */
export function illumosModule(
  { machine, deliver }: Pick<BoardInputs, 'machine' | 'deliver'>,
  { os, ipiShorthand, guestPageTable }: BhyveFacts,
  bootrom: AddressRange | null,
): Pick<Board, 'interprocessorInterrupt' | 'tearDown'> {
  if (os !== 'illumos') return {};
  const setting = (key: string) => machine.settings?.get(key)?.value;
  return {
    interprocessorInterrupt: (icr, vcpu, core) => {
      const waitsForStart = (other: number) => other < core.vcpus && core.activity(other) === 'wait-for-sipi';
      return interprocessorInterrupt(ipiShorthand, { deliver, waitsForStart }, icr, vcpu);
    },
    ...(guestPageTable === 'none'
      ? {}
      : {
          tearDown: (core, why) => {
            const order = setting(HOST_MAPPING_ORDER) === 'propolis' ? 'propolis' : 'bhyve';
            return tearDownGuest(core, guestMappings(machine, order, bootrom), why, {
              ranges: guestPageTable,
              debug: setting(HOST_DEBUG) !== false,
              wired: booleanOf(setting('memory.wired') ?? false) ?? false,
            });
          },
        }),
  };
}
