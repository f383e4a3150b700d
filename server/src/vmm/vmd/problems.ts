/** The findings that the parser of vm.conf itself makes: the grammar's errors, each with a code of its own. */
import type { Severity } from '../../text/finding';

export const PARSE_PROBLEMS = {
  'vmconf-syntax': { severity: 'error', title: 'The grammar of vm.conf does not take this' },
  'vmconf-unexpected-character': { severity: 'error', title: 'A character that begins no word' },
  'vmconf-unterminated-string': { severity: 'error', title: 'A quoted string without its closing quote' },
  'vmconf-string-too-long': { severity: 'error', title: 'A word longer than vmd’s buffer' },
  'vmconf-number-range': { severity: 'error', title: 'A number beyond 64 bits' },
  'vmconf-line-endings': { severity: 'error', title: 'Carriage returns, which vmd does not skip' },
  'vmconf-undefined-macro': { severity: 'error', title: 'A macro that nobody defines' },
  'vmconf-macro-definition': {
    severity: 'error',
    title: 'A macro definition that the grammar does not take',
  },
  'vmconf-reserved-word': { severity: 'error', title: 'A reserved word where a name is wanted' },
  'vmconf-unknown-option': { severity: 'error', title: 'An option that vmd does not know' },
  'vmconf-retired-keyword': { severity: 'error', title: 'A keyword of older versions or without a rule' },
  'vmconf-empty-block': { severity: 'error', title: 'A block without options' },
  'vmconf-missing-brace': { severity: 'error', title: 'A brace that is missing or on the wrong line' },
  'vmconf-option-separator': { severity: 'error', title: 'Two options that need a newline between them' },
  'vmconf-include-cycle': { severity: 'error', title: 'A file that includes itself' },
  'vmconf-include-depth': { severity: 'warning', title: 'Includes nested deeper than Bootpath reads' },
  'vmconf-too-long': { severity: 'information', title: 'A file with more words than Bootpath reads' },
  'vmconf-pragma': { severity: 'warning', title: 'A version comment that names no known version' },
} as const satisfies Record<string, { severity: Severity; title: string }>;

export type ParseProblem = keyof typeof PARSE_PROBLEMS;
