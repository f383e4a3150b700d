/** Where linear addresses lead, asked many times. */
import { contains, fromLength, sizeOf, type AddressRange } from '../../address/range';
import { Coverage } from '../../address/coverage';
import type { Mapping } from '../../machine/mapping';

export class LinearMap {
  /** By linear start. */
  readonly mappings: readonly Mapping[];
  private coverage: { readonly linear: Coverage; readonly physical: Coverage } | null = null;

  constructor(mappings: readonly Mapping[]) {
    this.mappings = [...mappings].sort((a, b) =>
      a.linear.start < b.linear.start ? -1 : a.linear.start > b.linear.start ? 1 : 0,
    );
  }

  get known(): boolean {
    return this.mappings.length > 0;
  }

  /** False where a mapping does not say where it leads. */
  get physicalKnown(): boolean {
    return this.known && this.mappings.every(({ physical }) => physical !== null);
  }

  /** The mapping of a linear address; of several, which no page tables give, the one that starts last. */
  at(address: bigint): Mapping | null {
    let [low, high] = [0, this.mappings.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.mappings[middle]!.linear.start <= address) low = middle + 1;
      else high = middle;
    }
    const found = this.mappings[low - 1];
    return found && contains(found.linear, address) ? found : null;
  }

  /** The physical address, or null where the address is not mapped or nobody says where to. */
  translate(address: bigint): bigint | null {
    const mapping = this.at(address);
    if (!mapping || mapping.physical === null) return null;
    return mapping.physical + (address - mapping.linear.start);
  }

  /** The first run of bytes of a linear range that is not mapped. */
  firstUnmapped(range: AddressRange): AddressRange | null {
    return this.coverages().linear.firstMissing(range);
  }

  /** The first run of bytes of a physical range that no linear address leads to. */
  firstUnreached(range: AddressRange): AddressRange | null {
    return this.coverages().physical.firstMissing(range);
  }

  private coverages() {
    return (this.coverage ??= {
      linear: new Coverage(this.mappings.map(({ linear }) => linear)),
      physical: new Coverage(
        this.mappings.flatMap(({ physical, linear }) =>
          physical === null ? [] : [fromLength(physical, sizeOf(linear))],
        ),
      ),
    });
  }
}
