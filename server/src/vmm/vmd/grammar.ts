/** What of the grammar of vm.conf depends on the version of vmd. */
import { isVmdSince } from './versions';
import { KEYWORDS, KEYWORDS_2018, wordsAt } from './vocabulary';

export interface Grammar {
  readonly keywords: ReadonlySet<string>;
  /** `owner` may stand alone (parse.y rev 1.49). */
  readonly ownerOptional: boolean;
  /** `lladdr` may stand alone (parse.y rev 1.72). */
  readonly addressOptional: boolean;
  /** Guests with several vCPUs exist; a keyword for them was not read. */
  readonly mayHaveVcpus: boolean;
  /** Keywords that begin an option of a block. */
  words(kind: 'vm' | 'switch'): ReadonlySet<string>;
}

const BLOCK_WORDS = {
  vm: new Set(wordsAt('vm').map((entry) => entry.word)),
  switch: new Set(wordsAt('switch').map((entry) => entry.word)),
};

/** Two grammars were read: parse.y rev 1.49 (2018-11-21) and rev 1.72 (2025-06-03). 2024 is taken for the newer one. */
export function grammarOf(version: string): Grammar {
  const modern = isVmdSince(version, '7.6');
  return {
    keywords: modern ? KEYWORDS : KEYWORDS_2018,
    ownerOptional: !modern,
    addressOptional: modern,
    mayHaveVcpus: isVmdSince(version, 'x86_vm-1.19'),
    words: (kind) => BLOCK_WORDS[kind],
  };
}
