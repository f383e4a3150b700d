/** memory.size: what QEMU cannot read, and numbers without a suffix that were meant in bytes. */
import { formatSize } from '../../address/format';
import { isTemplate } from '../../text/shape/checkShape';
import { memorySize } from '../../vmm/pc/readconfig/size';
import { qemuCheck } from './qemuCheck';

const TEBIBYTE = 1n << 40n;

export const memory = qemuCheck(
  { code: 'qemu-memory-size', severity: 'error', title: 'A size of memory that QEMU reads otherwise' },
  function* ({ groups }, places) {
    for (const { name, pairs } of groups) {
      if (name.text !== 'memory') continue;
      for (const { key, value } of pairs) {
        if ((key.text !== 'size' && key.text !== 'maxmem') || isTemplate(value.text)) continue;
        const bytes = memorySize(value.text);
        if (bytes === null) {
          const meant = /^\s*(\d+(?:\.\d+)?)\s*([KMGT])i?B?\s*$/i.exec(value.text);
          yield {
            at: places.at(value.start === value.end ? key : value),
            message: `\`${value.text.slice(0, 63)}\` is no size: QEMU takes a number below 2^64 with one of the suffixes k, M, G, T, P and E, and nothing behind it.`,
            ...(meant
              ? {
                  fixes: [
                    places.replace(`Change to ${meant[1]}${meant[2]}`, value, `${meant[1]}${meant[2]}`, true),
                  ],
                }
              : {}),
          };
        } else if (key.text === 'size' && /^\d+$/.test(value.text) && bytes >= TEBIBYTE) {
          yield {
            at: places.at(value),
            severity: 'warning',
            message: `A number without a suffix is in MiB: this is ${formatSize(bytes)}. For bytes there is the suffix B.`,
            fixes: [places.replace(`Change to ${value.text}B`, value, `${value.text}B`)],
          };
        }
      }
    }
  },
);
