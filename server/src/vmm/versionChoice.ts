/** Which version of a VMM a text is read for: what the user asks for, else the text's pragma, else the newest. */
import type { Document, ParseContext } from '../machine/language';
import type { Finding } from '../text/finding';
import { pragmaIn, type Pragma } from '../text/pragma';
import type { SourceText } from '../text/sourceText';
import type { VmmVersion } from './model';

export interface VersionChoice<V extends VmmVersion> {
  readonly version: V;
  readonly reason: NonNullable<Document['choiceReason']>;
  /** A pragma that names no version that we know, with a fix for each that we do. */
  readonly problems: readonly Finding[];
}

export interface VersionList<V extends VmmVersion> {
  /** The VMM's name. */
  readonly vmm: string;
  /** Oldest first. */
  readonly versions: readonly V[];
  /** Releases that people name and that are not in the list, with what can be said of them. */
  readonly unlisted?: ReadonlyMap<string, string>;
  /** The code of the finding on a pragma. */
  readonly code: string;
}

/**
 * A version that is asked for and not in the list counts as not asked for. `newest` gives the newest that the text can be for,
 * where that shows in it; else the last of the list.
 */
export function chooseVersion<V extends VmmVersion>(
  source: SourceText,
  context: ParseContext,
  list: VersionList<V>,
  newest: () => V = () => list.versions.at(-1)!,
): VersionChoice<V> {
  const { vmm, versions } = list;
  const find = (id: string | null | undefined) => versions.find((version) => version.id === id);
  const pragma = pragmaIn(source.text);
  const problems = pragma ? pragmaProblems(source, pragma, list) : [];
  const asked = context.choice?.vmm === vmm ? find(context.choice.version) : undefined;
  if (asked) return { version: asked, reason: 'asked', problems };
  const pinned = pragma?.vmm === vmm ? find(pragma.version) : undefined;
  if (pinned) return { version: pinned, reason: 'pragma', problems };
  return { version: newest(), reason: 'newest', problems };
}

function pragmaProblems<V extends VmmVersion>(
  source: SourceText,
  pragma: Pragma,
  { vmm, versions, unlisted, code }: VersionList<V>,
): Finding[] {
  const known = versions.map(({ id }) => id);
  if (pragma.vmm === vmm && (pragma.version === null || known.includes(pragma.version))) return [];
  const range = {
    start: { line: pragma.line, character: pragma.start },
    end: { line: pragma.line, character: pragma.end },
  };
  const note = unlisted?.get(pragma.version ?? '');
  const what = pragma.vmm === vmm ? `${vmm}@${pragma.version}` : pragma.vmm;
  return [
    {
      code,
      severity: 'warning',
      message: `\`${what}\` is no version of ${vmm} that Bootpath knows, so the newest (${known.at(-1)!}) is taken. Known, oldest first: ${known.join(', ')}.${note ? ` (${note[0]!.toUpperCase()}${note.slice(1)}.)` : ''}`,
      at: { uri: source.uri, range },
      fixes: [...versions].reverse().map(({ id, title }) => ({
        title: `Use ${vmm}@${id} (${title})`,
        edits: [{ uri: source.uri, range, newText: `${vmm}@${id}` }],
      })),
    },
  ];
}
