/** A flat config of bhyve as a Document. */
import type { Document, ParseContext, PathLink } from '../../../machine/language';
import type { SourceText } from '../../../text/sourceText';
import { configDocument } from '../../configDocument';
import { chooseVersion } from '../../versionChoice';
import { layOut } from '../layout';
import { newestFor } from '../keys/operatingSystem';
import { BHYVE_VERSIONS, type BhyveVersion } from '../versions';
import { pciNodes, type BhyveConfig } from './config';
import { badLine, expandValues, finding, keyFinding } from './findings';
import { readFlatConfig } from './flatConfig';
import { guestOf, imagesOf, type ConfigValue } from './guest';
import { outlineOf } from './outline';
import { configTree } from './tree';

export interface BhyveConfigDocument extends Document {
  readonly language: 'bhyve-config';
  /** By full key, the last of each, with references expanded. */
  readonly values: ReadonlyMap<string, ConfigValue>;
  /** One. */
  readonly configs: readonly BhyveConfig[];
}

export function isBhyveConfigDocument(document: Document): document is BhyveConfigDocument {
  return document.language === 'bhyve-config' && 'values' in document;
}

/** Reads a config. Never throws: what was not understood is in `problems`. */
export function parseBhyveConfig(source: SourceText, context: ParseContext): BhyveConfigDocument {
  const list = { vmm: 'bhyve', versions: BHYVE_VERSIONS, code: 'bhyve-pragma' };
  const flat = readFlatConfig(source.text);
  const tree = configTree(flat.entries);
  const { values, findings } = expandValues(source, tree);
  const chosen = chooseVersion(source, context, list, () => newestFor([values]));
  const { version } = chosen;
  const { guest, refused } = guestOf(source, values, version, {
    at: source.at(0, source.text.length),
    unnamed: source.at(0, 0),
  });
  const empty = flat.entries.length === 0;
  const name = values.get('name')?.entry;
  const first = flat.entries[0];
  const config: BhyveConfig = {
    source,
    version,
    form: 'file',
    entries: flat.entries,
    values,
    complete: true,
    preloaded: false,
    vcpus: guest.vcpus.value,
    memory: guest.memory?.value ?? null,
    place: name?.valueSpan ?? first?.keySpan ?? { start: 0, end: 0 },
    devices: pciNodes(values),
  };
  const parts = {
    vmm: 'bhyve',
    chosen,
    machines: empty
      ? []
      : [{ ...guest, vmm: 'bhyve', version: version.id, regions: layOut(guest, version.id) }],
    problems: [
      ...flat.bad.map((bad) => finding(source, 'bhyve-config-syntax', bad.span, badLine(bad))),
      ...tree.problems.map((problem) => keyFinding(source, problem)),
      ...findings,
      ...refused.map(({ entry, message }) =>
        finding(source, 'bhyve-config-number', entry.valueSpan, message),
      ),
    ],
    outline: () => (empty ? [] : outlineOf(source, guest, values)),
    links: () => linksOf(source, values, version),
  };
  return configDocument(source, 'bhyve-config', parts, { values, configs: empty ? [] : [config] });
}

function linksOf(
  source: SourceText,
  values: ReadonlyMap<string, ConfigValue>,
  version: BhyveVersion,
): PathLink[] {
  return imagesOf(values, version)
    .filter(({ from }) => !from.entry.raw.includes('%'))
    .map(({ from }) => ({
      range: source.lines.rangeAt(from.entry.valueSpan.start, from.entry.valueSpan.end),
      path: from.value,
    }));
}
