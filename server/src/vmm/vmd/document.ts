/** A vm.conf as a Document, with what only the rooms that know vmd look at. */
import type { Document, ParseContext } from '../../machine/language';
import { onDemand } from '../../machine/onDemand';
import type { SourceText } from '../../text/sourceText';
import { readConfig, type VmdConfig } from './config';
import { pathLinks } from './links';
import { machinesOf } from './machines';
import { outlineOf } from './outline';
import { parseVmConf } from './parser';
import { namedSymbols } from './symbols';
import { UNLISTED_RELEASES, VMD_VERSIONS } from './versions';
import { chooseVersion } from '../versionChoice';

const VERSIONS = { vmm: 'vmd', versions: VMD_VERSIONS, unlisted: UNLISTED_RELEASES, code: 'vmconf-pragma' };

export interface VmConfDocument extends Document {
  readonly language: 'vmconf';
  readonly config: VmdConfig;
}

export function isVmConfDocument(document: Document): document is VmConfDocument {
  return document.language === 'vmconf' && 'config' in document;
}

/** Reads a vm.conf. Never throws: what was not understood is in `problems`. */
export function parseDocument(source: SourceText, context: ParseContext): VmConfDocument {
  const { version, reason, problems } = chooseVersion(source, context, VERSIONS);
  const syntax = parseVmConf(source, {
    version: version.id,
    files: context.files,
    defines: context.defines ?? new Map(),
  });
  const config = readConfig(syntax, version);
  const outline = onDemand(() => outlineOf(config, source));
  const symbols = onDemand(() => namedSymbols(config));
  const links = onDemand(() => pathLinks(config, source));
  return {
    source,
    language: 'vmconf',
    choice: { vmm: 'vmd', version: version.id },
    choiceReason: reason,
    machines: machinesOf(config),
    problems: [...problems, ...syntax.problems],
    get outline() {
      return outline();
    },
    get symbols() {
      return symbols();
    },
    get links() {
      return links();
    },
    wanted: syntax.wanted,
    read: syntax.sources.map(({ uri }) => uri),
    included: syntax.sources.slice(1),
    config,
  };
}
