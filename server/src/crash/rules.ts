/** The rules of all formats, with the pages that explain their findings. */
import type { RulePage } from './dumpFormat';
import { DUMP_FORMATS } from './formats';

export const CRASH_RULES: readonly RulePage[] = [...new Set(DUMP_FORMATS.flatMap(({ rules }) => rules))];

/** The page that explains a rule's findings, from the root of the repository. A known issue is its own rule. */
export function documentationOf({ id, code }: RulePage): string {
  return id === code ? `docs/known-issues/${code}.md` : `docs/crashes/${code}.md`;
}
