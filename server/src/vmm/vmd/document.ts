/** A vm.conf as a Document, with what only the rooms that know vmd look at. */
import type { Document, ParseContext } from '../../machine/language';
import { onDemand } from '../../machine/onDemand';
import type { Finding } from '../../text/finding';
import { pragmaIn, type Pragma } from '../../text/pragma';
import type { SourceText } from '../../text/sourceText';
import { readConfig, type VmdConfig } from './config';
import { pathLinks } from './links';
import { machinesOf } from './machines';
import { outlineOf } from './outline';
import { parseVmConf } from './parser';
import { PARSE_PROBLEMS } from './problems';
import { namedSymbols } from './symbols';
import { NEWEST_VMD, UNLISTED_RELEASES, VMD_VERSIONS, vmdVersion, type VmdVersion } from './versions';

export interface VmConfDocument extends Document {
  readonly language: 'vmconf';
  readonly config: VmdConfig;
}

export function isVmConfDocument(document: Document): document is VmConfDocument {
  return document.language === 'vmconf' && 'config' in document;
}

/** Reads a vm.conf. Never throws: what was not understood is in `problems`. */
export function parseDocument(source: SourceText, context: ParseContext): VmConfDocument {
  const pragma = pragmaIn(source.text);
  const { version, reason } = chooseVersion(context, pragma);
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
    problems: [...pragmaProblems(source, pragma), ...syntax.problems],
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

function chooseVersion(
  context: ParseContext,
  pragma: Pragma | null,
): { version: VmdVersion; reason: 'asked' | 'pragma' | 'newest' } {
  const asked = context.choice?.vmm === 'vmd' ? vmdVersion(context.choice.version) : undefined;
  if (asked) return { version: asked, reason: 'asked' };
  const pinned = pragma?.vmm === 'vmd' && pragma.version !== null ? vmdVersion(pragma.version) : undefined;
  if (pinned) return { version: pinned, reason: 'pragma' };
  return { version: NEWEST_VMD, reason: 'newest' };
}

function pragmaProblems(source: SourceText, pragma: Pragma | null): Finding[] {
  if (!pragma || (pragma.vmm === 'vmd' && (pragma.version === null || vmdVersion(pragma.version)))) return [];
  const range = {
    start: { line: pragma.line, character: pragma.start },
    end: { line: pragma.line, character: pragma.end },
  };
  const known = VMD_VERSIONS.map(({ id }) => id);
  const note = UNLISTED_RELEASES.get(pragma.version ?? '');
  const what = pragma.vmm === 'vmd' ? `vmd@${pragma.version}` : pragma.vmm;
  return [
    {
      code: 'vmconf-pragma',
      severity: PARSE_PROBLEMS['vmconf-pragma'].severity,
      message: `\`${what}\` is no version of vmd that Bootpath knows, so the newest (${NEWEST_VMD.id}) is taken. Known, oldest first: ${known.join(', ')}.${note ? ` (${note[0]!.toUpperCase()}${note.slice(1)}.)` : ''}`,
      at: { uri: source.uri, range },
      fixes: [...VMD_VERSIONS].reverse().map(({ id, title }) => ({
        title: `Use vmd@${id} (${title})`,
        edits: [{ uri: source.uri, range, newText: `vmd@${id}` }],
      })),
    },
  ];
}
