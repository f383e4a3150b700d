/** What to say of a line in a block that no option of it begins. */
import { closest } from '../../text/closest';
import type { Cursor } from './cursor';
import type { Grammar } from './grammar';
import type { Span, Token } from './lexer';
import { RETIRED_OPTIONS, VCPU_WORDS, wordsAt } from './vocabulary';

/** To be called where an option is wanted and none begins. Takes the line. */
export function unknownOption(cursor: Cursor, grammar: Grammar | null, kind: 'vm' | 'switch'): Span {
  const first = cursor.peek();
  // A macro that nobody defines was reported, and may stand for anything.
  if (first.kind !== 'unknown') reportUnknown(cursor, grammar, kind, first);
  cursor.next();
  cursor.skipLine();
  return cursor.spanFrom(first);
}

function reportUnknown(cursor: Cursor, grammar: Grammar | null, kind: 'vm' | 'switch', first: Token): void {
  const { text } = first;
  const options = wordsAt(kind).map((entry) => entry.word);
  const retired = RETIRED_OPTIONS.get(text);
  if (first.kind === 'punctuation') cursor.expected(`an option of the ${kind}`);
  else if (retired && (kind === 'vm' || text === 'add')) {
    cursor.report(
      'vmconf-retired-keyword',
      first,
      `\`${text}\` is no option of a ${kind} any more: vmd reports a syntax error. \`${retired}\` is its successor.`,
      {
        fixes: text === 'add' ? [] : [cursor.fix(`Use ${retired}`, first, retired, true)],
      },
    );
  } else if (text === 'id' || text === 'size') {
    cursor.report(
      'vmconf-retired-keyword',
      first,
      `\`${text}\` is a reserved word without a rule: vmd reports a syntax error wherever it stands.`,
    );
  } else if (VCPU_WORDS.has(text) && grammar?.mayHaveVcpus && kind === 'vm') {
    cursor.report(
      'vmconf-unknown-option',
      first,
      `The grammar that Bootpath knows (parse.y of 2025) has no \`${text}\`; x86_vm.c of September 2026 can start several vCPUs, and a grammar that was not read may have a keyword for it.`,
      { severity: 'information' },
    );
  } else {
    const near = closest(text, options);
    // The words of the newest grammar: an older one may not have this one yet.
    const elsewhere = first.kind === 'keyword' ? ' here' : near === text ? ' in this version' : '';
    cursor.report(
      'vmconf-unknown-option',
      first,
      `A ${kind} block has no option \`${text}\`${elsewhere}: vmd reports a syntax error and drops the whole file.`,
      {
        fixes:
          near && near !== text && first.kind === 'string' && !first.macro
            ? [cursor.fix(`Change to ${near}`, first, near, true)]
            : [],
      },
    );
  }
}
