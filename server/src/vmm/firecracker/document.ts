/** A Firecracker config as a Document, with the tree that only the rooms that know Firecracker look at. */
import type { Document, ParseContext } from '../../machine/language';
import type { Finding } from '../../text/finding';
import { parseJson, type JsonNode, type JsonText } from '../../text/json';
import { configOfJson } from '../../text/shape/fromJson';
import type { ConfigNode } from '../../text/shape/node';
import type { SourceText } from '../../text/sourceText';
import { configDocument } from '../configDocument';
import { JSON_SYNTAX, jsonFindings, jsonOutline } from '../jsonConfig';
import { chooseVersion } from '../versionChoice';
import { firecrackerLinks } from './links';
import { machinesOf } from './machines';
import { FIRECRACKER_VERSIONS, UNLISTED_FIRECRACKER } from './versions';

export interface FirecrackerDocument extends Document {
  readonly language: 'firecracker';
  readonly root: JsonNode | null;
  /** The same tree, for the shape and the rules. */
  readonly config: ConfigNode | null;
}

export function isFirecrackerDocument(document: Document): document is FirecrackerDocument {
  return document.language === 'firecracker';
}

/** Reads a config. Never throws: what was not understood is in `problems`. */
export function parseDocument(source: SourceText, context: ParseContext): FirecrackerDocument {
  const chosen = chooseVersion(source, context, {
    vmm: 'firecracker',
    versions: FIRECRACKER_VERSIONS,
    unlisted: UNLISTED_FIRECRACKER,
    code: 'config-pragma',
  });
  const json = parseJson(source.text);
  const { root } = json;
  const parts = {
    vmm: 'firecracker',
    chosen,
    machines: machinesOf(source, root, chosen.version),
    problems: syntaxProblems(source, json),
    outline: () => jsonOutline(source, root),
    links: () => firecrackerLinks(source, root),
  };
  return configDocument(source, 'firecracker', parts, {
    root,
    config: root && configOfJson(root),
  });
}

function syntaxProblems(source: SourceText, json: JsonText): Finding[] {
  const findings = jsonFindings(source, json);
  const { root } = json;
  if (!root || root.kind === 'object') return findings;
  const message = 'A config is one JSON object, so Firecracker refuses the file.';
  return [
    ...findings,
    { code: JSON_SYNTAX, severity: 'error', message, at: source.at(root.start, root.end) },
  ];
}
