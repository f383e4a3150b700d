/** A guest's configuration of vm-bhyve as a Document. */
import type { Document, ParseContext } from '../../../machine/language';
import type { SourceText } from '../../../text/sourceText';
import { configDocument } from '../../configDocument';
import { chooseVersion } from '../../versionChoice';
import { expandValues } from '../config/findings';
import { guestOf } from '../config/guest';
import { configTree } from '../config/tree';
import { layOut } from '../layout';
import { BHYVE_VERSIONS } from '../versions';
import { bhyveEntries } from './guest';
import { readGuest, type GuestFile } from './reader';

export interface VmBhyveDocument extends Document {
  readonly language: 'vm-bhyve';
  readonly guest: GuestFile;
}

export function isVmBhyveDocument(document: Document): document is VmBhyveDocument {
  return document.language === 'vm-bhyve' && 'guest' in document;
}

/** Never throws. The guest's name is that of the file, as in vm-bhyve. */
export function parseVmBhyve(source: SourceText, context: ParseContext): VmBhyveDocument {
  const list = { vmm: 'bhyve', versions: BHYVE_VERSIONS, code: 'bhyve-pragma' };
  const chosen = chooseVersion(source, context, list);
  const { version } = chosen;
  const file = readGuest(source.text);
  const tree = configTree(bhyveEntries(file, source.name || 'guest', version));
  const { values } = expandValues(source, tree);
  const first = file.lines[0];
  const lens = first ? source.at(first.keySpan.start, first.valueSpan.end) : source.at(0, 0);
  const place = { at: source.at(0, source.text.length), unnamed: lens, lens };
  const { guest } = guestOf(source, values, version, place);
  const parts = {
    vmm: 'bhyve',
    chosen,
    machines: first
      ? [{ ...guest, vmm: 'bhyve', version: version.id, regions: layOut(guest, version.id) }]
      : [],
    problems: [],
    outline: () => [],
    links: () => [],
  };
  return configDocument(source, 'vm-bhyve', parts, { guest: file });
}
