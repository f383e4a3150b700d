/** How a rule on vm-bhyve's configurations is made. */
import { isVmBhyveDocument } from '../../vmm/bhyve/vmBhyve/document';
import type { GuestFile, GuestLine } from '../../vmm/bhyve/vmBhyve/reader';
import type { Severity } from '../../text/finding';
import type { SourceText } from '../../text/sourceText';
import type { Check, Found } from '../check';

export interface Guest extends GuestFile {
  readonly source: SourceText;
}

export function vmBhyveCheck(
  row: { readonly code: string; readonly severity: Severity; readonly title: string },
  run: (guest: Guest) => Iterable<Found>,
): Check {
  return {
    ...row,
    on: ['vm-bhyve'],
    run: (document) =>
      isVmBhyveDocument(document) ? run({ ...document.guest, source: document.source }) : [],
  };
}

/** The line that counts for a key, where it has a value. */
export function given({ values }: Guest, key: string): GuestLine | undefined {
  const line = values.get(key);
  return line && line.value !== '' ? line : undefined;
}
