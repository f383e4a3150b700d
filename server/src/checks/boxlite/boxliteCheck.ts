/** How a rule on BoxLite's options is made: a row of the table and a function on the options. */
import type { Severity } from '../../text/finding';
import { memberOf, type NodeSpan, type ObjectNode } from '../../text/shape/node';
import type { SourceText } from '../../text/sourceText';
import { isBoxliteDocument } from '../../vmm/libkrun/boxlite/document';
import type { Check, Found } from '../check';
import { Places } from '../places';

export class BoxPlaces extends Places {
  constructor(
    source: SourceText,
    readonly options: ObjectNode,
  ) {
    super(source);
  }

  /** A member of the options that is not null. */
  option(key: string) {
    const member = memberOf(this.options, key);
    return member?.value && member.value.kind !== 'null' ? { key: member.key, value: member.value } : null;
  }

  /** `network` is "Disabled". */
  get offline(): NodeSpan | null {
    const network = this.option('network');
    return network?.value.kind === 'string' && network.value.value === 'Disabled' ? network.value : null;
  }
}

export function boxliteCheck(
  row: { readonly code: string; readonly severity: Severity; readonly title: string },
  run: (places: BoxPlaces) => Iterable<Found>,
): Check {
  return {
    ...row,
    on: ['boxlite'],
    run: (document) =>
      isBoxliteDocument(document) && document.options
        ? run(new BoxPlaces(document.source, document.options))
        : [],
  };
}
