/** How a rule on a config file of QEMU is made: a row of the table and a function on the groups of the file. */
import type { Fix, RelatedPlace, Severity } from '../../text/finding';
import type { SourceText } from '../../text/sourceText';
import { isQemuConfigDocument } from '../../vmm/pc/readconfig/document';
import type { QemuConfig, Span } from '../../vmm/pc/readconfig/read';
import type { Check, Found } from '../check';

export class QemuPlaces {
  constructor(readonly source: SourceText) {}

  at({ start, end }: Span): NonNullable<Found['at']> {
    return this.source.at(start, end);
  }

  related(span: Span, message: string): RelatedPlace {
    return { at: this.at(span), message };
  }

  replace(title: string, { start, end }: Span, newText: string, preferred = false): Fix {
    return {
      title,
      edits: [{ uri: this.source.uri, range: this.source.lines.rangeAt(start, end), newText }],
      preferred,
    };
  }
}

export function qemuCheck(
  row: { readonly code: string; readonly severity: Severity; readonly title: string },
  run: (config: QemuConfig, places: QemuPlaces) => Iterable<Found>,
): Check {
  return {
    ...row,
    on: ['qemu-config'],
    run: (document) =>
      isQemuConfigDocument(document) ? run(document.config, new QemuPlaces(document.source)) : [],
  };
}
