/** Puts the segments of a kernel to their physical addresses. */
import { hex } from '../../address/format';
import type { AddressRange } from '../../address/range';
import type { ImageProblem } from '../../machine/image/problem';
import type { LoadTarget } from './loader';

export interface LoadedSegment {
  readonly physical: bigint;
  /** The bytes from the file; zeroes follow up to `memorySize`. */
  readonly bytes: Uint8Array;
  readonly memorySize: bigint;
}

/** Gives what the kernel occupies, segment by segment. */
export function loadSegments(
  segments: readonly LoadedSegment[],
  target: Pick<LoadTarget, 'isRam' | 'write'>,
): AddressRange[] | ImageProblem {
  const ranges: AddressRange[] = [];
  for (const [index, { physical, bytes, memorySize }] of segments.entries()) {
    const range = { start: physical, end: physical + memorySize };
    // Memory is zero at first, so what follows the bytes of the file need not be written.
    if (!target.isRam(range) || !target.write(physical, bytes)) {
      return {
        problem: `segment ${index} of the kernel goes to ${hex(range.start)} up to ${hex(range.end)}, which is not all RAM`,
      };
    }
    ranges.push(range);
  }
  return ranges;
}
