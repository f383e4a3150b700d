/** A config of propolis-standalone as a Document, with its TOML for the rooms that know Propolis. */
import type { Document, ParseContext, PathLink } from '../../machine/language';
import type { Machine } from '../../machine/machine';
import type { Finding } from '../../text/finding';
import { configOfToml } from '../../text/shape/fromToml';
import type { ObjectNode } from '../../text/shape/node';
import type { SourceText } from '../../text/sourceText';
import { readToml } from '../../text/toml/read';
import type { TomlDocument, TomlProblem, TomlTable } from '../../text/toml/tree';
import { configDocument } from '../configDocument';
import { chooseVersion } from '../versionChoice';
import { guestOf, tableIn } from './guest';
import { layOutPropolis } from './layout';
import { outlineOf } from './outline';
import { PROPOLIS_PROBLEMS, type PropolisProblem } from './problems';
import { PROPOLIS_VERSIONS, type PropolisVersion } from './versions';

export interface PropolisDocument extends Document {
  readonly language: 'propolis';
  readonly toml: TomlDocument;
  /** The same as a tree of keys and values, for shapes and rules. */
  readonly config: ObjectNode;
}

export function isPropolisDocument(document: Document): document is PropolisDocument {
  return document.language === 'propolis';
}

const CODES: Readonly<Record<TomlProblem['kind'], PropolisProblem>> = {
  syntax: 'propolis-toml',
  duplicate: 'propolis-duplicate',
  range: 'propolis-number-range',
};

/** Reads a config. Never throws: what was not understood is in `problems`. */
export function parsePropolis(source: SourceText, context: ParseContext): PropolisDocument {
  const list = { vmm: 'propolis', versions: PROPOLIS_VERSIONS, code: 'propolis-pragma' };
  const chosen = chooseVersion(source, context, list);
  const toml = readToml(source.text);
  const parts = {
    vmm: 'propolis',
    chosen,
    machines: machinesOf(source, toml.root, chosen.version),
    problems: toml.problems.map((problem) => finding(source, problem)),
    outline: () => outlineOf(source, toml.root),
    links: () => pathLinks(source, toml.root),
  };
  return configDocument(source, 'propolis', parts, { toml, config: configOfToml(toml.root) });
}

function machinesOf(source: SourceText, root: TomlTable, version: PropolisVersion): Machine[] {
  const guest = guestOf(source, root, version);
  if (!guest) return [];
  return [{ ...guest, vmm: 'propolis', version: version.id, regions: layOutPropolis(guest, version.id) }];
}

function finding(source: SourceText, { kind, message, start, end, first }: TomlProblem): Finding {
  const code = CODES[kind];
  return {
    code,
    severity: PROPOLIS_PROBLEMS[code].severity,
    message,
    at: source.at(start, end),
    ...(first
      ? { related: [{ at: source.at(first.start, first.end), message: 'The first one is here.' }] }
      : {}),
  };
}

/** Boot ROM, disk files, and the files of cloud-init. */
function pathLinks(source: SourceText, root: TomlTable): PathLink[] {
  const links: PathLink[] = [];
  const add = (table: TomlTable | null, key: string): void => {
    const value = table?.entries.get(key)?.value;
    if (value?.kind !== 'string' || value.value === '' || value.end - value.start <= 2) return;
    // Between the quotes.
    links.push({ range: source.lines.rangeAt(value.start + 1, value.end - 1), path: value.value });
  };
  add(tableIn(root, 'main'), 'bootrom');
  for (const { value } of tableIn(root, 'block_dev')?.entries.values() ?? []) {
    if (value.kind === 'table') add(value, 'path');
  }
  const cloudinit = tableIn(root, 'cloudinit');
  for (const key of ['user-data-path', 'meta-data-path', 'network-config-path']) add(cloudinit, key);
  return links;
}
