/** Segment selectors. SDM vol. 3, 3.4.2. */

export interface Selector {
  readonly index: number;
  /** True for the LDT. */
  readonly local: boolean;
  readonly rpl: number;
}

export function decodeSelector(selector: number): Selector {
  return { index: selector >> 3, local: (selector & 4) !== 0, rpl: selector & 3 };
}

/** `index 2 of the GDT, RPL 0`. */
export function selectorText(selector: number): string {
  const { index, local, rpl } = decodeSelector(selector);
  if (index === 0 && !local) return `null selector, RPL ${rpl}`;
  return `index ${index} of the ${local ? 'LDT' : 'GDT'}, RPL ${rpl}`;
}
