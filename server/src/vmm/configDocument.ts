/** The Document of a config that is one text: it includes no other and defines no names. */
import type { Document, LanguageKind, OutlineNode, PathLink } from '../machine/language';
import type { Machine } from '../machine/machine';
import { onDemand } from '../machine/onDemand';
import type { Finding } from '../text/finding';
import type { SourceText } from '../text/sourceText';
import type { VersionChoice } from './versionChoice';
import type { VmmVersion } from './model';

export interface ConfigParts {
  /** Null where no model reads the text: then it is read for no version either. */
  readonly vmm: string | null;
  /** The version that was chosen, with what is wrong with its comment. */
  readonly chosen: VersionChoice<VmmVersion>;
  readonly machines: readonly Machine[];
  /** What the reader found. */
  readonly problems: readonly Finding[];
  /** Outline and links are made when somebody asks for them. */
  outline(): readonly OutlineNode[];
  links(): readonly PathLink[];
}

/** `tree`: what only the rooms that know this language look at. */
export function configDocument<K extends LanguageKind, T extends object>(
  source: SourceText,
  language: K,
  { vmm, chosen, machines, problems, ...later }: ConfigParts,
  tree: T,
): Document & { readonly language: K } & T {
  const outline = onDemand(() => later.outline());
  const links = onDemand(() => later.links());
  const document: Document & { readonly language: K } = {
    source,
    language,
    choice: vmm === null ? null : { vmm, version: chosen.version.id },
    choiceReason: vmm === null ? null : chosen.reason,
    machines,
    problems: [...chosen.problems, ...problems],
    get outline() {
      return outline();
    },
    symbols: [],
    get links() {
      return links();
    },
    wanted: [],
    read: [source.uri],
  };
  return Object.assign(document, tree);
}
