/**
 * What propolis-standalone logs before it makes a VM (bin/propolis-standalone/src/main.rs, setup_instance): the bytes of memory
 * from 0 on and from 4 GiB on (build_machine, add_mem_region).
 */
import { fromLength, GIB } from '../address/range';
import { MAX_ENTRIES, nameMaps, tooLong, type Dialect, type MapProblem, type OpenMap } from './mapText';

const NAME = 'Propolis log';
const LINE = /Creating VM with \d{1,5} vCPUs, (\d{1,19}) lowmem, (\d{1,19}) highmem/g;

export const propolisLogDialect: Dialect = {
  name: NAME,
  has: (text) => text.search(LINE) >= 0,
  read({ text }) {
    const maps: OpenMap[] = [];
    const problems: MapProblem[] = [];
    for (const match of text.matchAll(LINE)) {
      const [from, to] = [match.index, match.index + match[0].length];
      if (maps.length >= MAX_ENTRIES) {
        problems.push(tooLong(from, to));
        break;
      }
      const parts = [
        { name: 'lowmem', range: fromLength(0n, BigInt(match[1]!)) },
        { name: 'highmem', range: fromLength(4n * GIB, BigInt(match[2]!)) },
      ];
      maps.push({
        name: NAME,
        nameFrom: from,
        nameTo: to,
        amendments: [],
        entries: parts
          .filter(({ range }) => range.end > range.start)
          .map(({ name, range }) => ({
            range,
            kind: 'ram',
            name,
            permissions: null,
            reason: `Propolis makes the VM with this memory, ${name}.`,
            from,
            to,
            approximate: false,
          })),
      });
    }
    return { maps: nameMaps(maps), problems };
  },
};
