/** BoxLite's options as a Document, with the tree that only the rooms that know BoxLite look at. */
import type { Document, ParseContext, PathLink } from '../../../machine/language';
import { jsonAt, parseJson, type JsonNode } from '../../../text/json';
import { configOfJson } from '../../../text/shape/fromJson';
import { memberOf, type ObjectNode } from '../../../text/shape/node';
import type { SourceText } from '../../../text/sourceText';
import { configDocument } from '../../configDocument';
import { jsonFindings, jsonOutline } from '../../jsonConfig';
import { chooseVersion } from '../../versionChoice';
import { LIBKRUN_VERSION_LIST } from '../versions';
import { machinesOf, optionsOf } from './machine';

export interface BoxliteDocument extends Document {
  readonly language: 'boxlite';
  readonly root: JsonNode | null;
  /**
   * The options as serde writes them, where the root file system is in its form: other JSON with a size of memory may be a request to a
   * server, whose keys are others.
   */
  readonly options: ObjectNode | null;
}

export function isBoxliteDocument(document: Document): document is BoxliteDocument {
  return document.language === 'boxlite';
}

/** Reads options. Never throws: what was not understood is in `problems`. */
export function parseDocument(source: SourceText, context: ParseContext): BoxliteDocument {
  const chosen = chooseVersion(source, context, LIBKRUN_VERSION_LIST);
  const json = parseJson(source.text);
  const { root } = json;
  const parts = {
    vmm: 'libkrun',
    chosen,
    machines: machinesOf(source, root, chosen.version),
    problems: jsonFindings(source, json),
    outline: () => jsonOutline(source, root),
    links: () => pathLinks(source, optionsOf(root)),
  };
  return configDocument(source, 'boxlite', parts, { root, options: serdeOptions(root) });
}

function serdeOptions(root: JsonNode | null): ObjectNode | null {
  const options = optionsOf(root);
  const config = options && configOfJson(options);
  if (config?.kind !== 'object') return null;
  const rootfs = memberOf(config, 'rootfs')?.value ?? null;
  return memberOf(rootfs, 'Image') || memberOf(rootfs, 'RootfsPath') ? config : null;
}

/** Files of the host: the kernel, its initrd, a root directory and the volumes. */
function pathLinks(source: SourceText, options: JsonNode | null): PathLink[] {
  const kernel = jsonAt(options, 'advanced', 'kernel');
  const volumes = jsonAt(options, 'volumes');
  const nodes = [
    jsonAt(kernel, 'path'),
    jsonAt(kernel, 'initramfs'),
    jsonAt(options, 'rootfs', 'RootfsPath'),
    ...(volumes?.kind === 'array' ? volumes.items.map((volume) => jsonAt(volume, 'host_path')) : []),
  ];
  return nodes.flatMap((node) =>
    node?.kind === 'string' && node.value !== ''
      ? [{ range: source.lines.rangeAt(node.start + 1, node.end - 1), path: node.value }]
      : [],
  );
}
