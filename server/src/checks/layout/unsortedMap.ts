/** A memory map whose lines are not in the order of their addresses. */
import { hex } from '../../address/format';
import type { Machine, Region } from '../../machine/machine';
import type { Check } from '../check';
import { producerOf } from './mapProducer';

function inTextOrder(machine: Machine): Region[] {
  return machine.regions
    .filter(({ at }) => at !== null)
    .sort((a, b) => {
      const [x, y] = [a.at!.range.start, b.at!.range.start];
      return x.line - y.line || x.character - y.character;
    });
}

export const unsortedMap: Check = {
  code: 'map-unsorted',
  severity: 'information',
  title: 'Map entries out of order',
  on: ['memmap'],
  *run(document) {
    for (const machine of document.machines) {
      if (!producerOf(machine).inOrder) continue;
      const entries = inTextOrder(machine);
      const falls = entries.flatMap((entry, index) => {
        const before = entries[index - 1];
        return before && entry.range.start < before.range.start ? [{ entry, before }] : [];
      });
      const first = falls[0];
      if (!first) continue;
      const { entry, before } = first;
      const more = falls.length > 1 ? ` (the first of ${falls.length} such places)` : '';
      yield {
        at: entry.at,
        message: `${entry.name} starts at ${hex(entry.range.start)}, below ${before.name} at ${hex(before.range.start)} on the line before${more}. Who prints this map prints it in order, so most likely lines of two maps are mixed here, or the text was edited.`,
        related: [{ at: before.at!, message: `${before.name} at ${hex(before.range.start)}` }],
      };
    }
  },
};
