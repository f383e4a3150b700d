/** A Firecracker config as a Document, with the tree that only the rooms that know Firecracker look at. */
import type { Document, ParseContext } from '../../machine/language';
import { onDemand } from '../../machine/onDemand';
import type { Finding } from '../../text/finding';
import { parseJson, type JsonNode, type JsonText } from '../../text/json';
import type { SourceText } from '../../text/sourceText';
import { JSON_SYNTAX, jsonFindings, jsonOutline } from '../jsonConfig';
import { chooseVersion } from '../versionChoice';
import { firecrackerLinks } from './links';
import { machinesOf } from './machines';
import { FIRECRACKER_VERSIONS, UNLISTED_FIRECRACKER } from './versions';

export interface FirecrackerDocument extends Document {
  readonly language: 'firecracker';
  readonly root: JsonNode | null;
}

export function isFirecrackerDocument(document: Document): document is FirecrackerDocument {
  return document.language === 'firecracker' && 'root' in document;
}

/** Reads a config. Never throws: what was not understood is in `problems`. */
export function parseDocument(source: SourceText, context: ParseContext): FirecrackerDocument {
  const { version, reason, problems } = chooseVersion(source, context, {
    vmm: 'firecracker',
    versions: FIRECRACKER_VERSIONS,
    unlisted: UNLISTED_FIRECRACKER,
    code: 'config-pragma',
  });
  const json = parseJson(source.text);
  const outline = onDemand(() => jsonOutline(source, json.root));
  const links = onDemand(() => firecrackerLinks(source, json.root));
  return {
    source,
    language: 'firecracker',
    choice: { vmm: 'firecracker', version: version.id },
    choiceReason: reason,
    machines: machinesOf(source, json.root, version),
    problems: [...problems, ...syntaxProblems(source, json)],
    get outline() {
      return outline();
    },
    symbols: [],
    get links() {
      return links();
    },
    wanted: [],
    read: [source.uri],
    root: json.root,
  };
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
