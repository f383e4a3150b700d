/** Routing domains beyond RT_TABLEID_MAX. */
import type { Token } from '../../vmm/vmd/lexer';
import { at, vmconfCheck } from './vmconfCheck';

/** RT_TABLEID_MAX of net/route.h. */
const LARGEST = 255;

export const routingDomain = vmconfCheck(
  { code: 'vmconf-rdomain', severity: 'error', title: 'A routing domain out of range' },
  function* (config) {
    const ids: Token[] = [];
    for (const { block } of config.switches) {
      for (const option of block.options) if (option.kind === 'rdomain') ids.push(option.id);
    }
    for (const { interfaces } of config.vms) {
      for (const { options } of interfaces)
        for (const option of options) if (option.kind === 'rdomain') ids.push(option.id);
    }
    for (const id of ids) {
      if (id.kind !== 'number' || (/^\d{1,9}$/.test(id.text) && Number(id.text) <= LARGEST)) continue;
      yield { at: at(id), message: `Routing domains go from 0 to ${LARGEST}: vmd refuses ${id.text}.` };
    }
  },
);
