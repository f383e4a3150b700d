/** Kernels that BoxLite refuses on x86-64 (KernelOptions::validate_resolved_format). */
import { nodeAt } from '../../text/shape/node';
import { boxliteCheck } from './boxliteCheck';

export const kernel = boxliteCheck(
  { code: 'boxlite-kernel', severity: 'error', title: 'A kernel that BoxLite refuses' },
  function* (places) {
    const options = nodeAt(places.options, 'advanced', 'kernel');
    const format = nodeAt(options, 'format');
    if (format?.kind !== 'string') return;
    if (format.value === 'pe-gz') {
      yield {
        at: places.at(format),
        message: 'On x86-64 BoxLite takes no kernel of the format pe-gz: that one is for arm64.',
      };
    }
    if (format.value !== 'raw') return;
    for (const [key, what] of [
      ['initramfs', 'an initial RAM disk'],
      ['command_line', 'a command line of its own'],
    ] as const) {
      const value = nodeAt(options, key);
      if (value?.kind !== 'string') continue;
      yield {
        at: places.at(value),
        message: `On x86-64 BoxLite refuses a raw kernel with ${what}: libkrun does not look at it.`,
        related: [places.related(format, 'The format')],
      };
    }
  },
);
