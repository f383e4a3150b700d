/** The tokens of one file as they are written, macros not expanded: for questions about a place in the text. */
import type { SourceText } from '../../text/sourceText';
import { Lexer, type Token } from './lexer';
import { MOST_TOKENS } from './tokenStream';
import { KEYWORDS } from './vocabulary';

/** All tokens that begin before `offset`, the newlines too; as many as the parser reads. */
export function* rawTokens(source: SourceText, offset = Infinity): Generator<Token, void, void> {
  const lexer = new Lexer(source, { keywords: KEYWORDS, macro: null, problem: () => undefined });
  for (let count = 0; count < MOST_TOKENS; count++) {
    const token = lexer.next();
    if (token.kind === 'end' || token.start > offset) return;
    yield token;
  }
}

/** The token that the offset lies in or at the end of; a newline is none. */
export function rawTokenAt(source: SourceText, offset: number): Token | null {
  let found: Token | null = null;
  for (const token of rawTokens(source, offset)) {
    if (token.kind !== 'newline' && token.start <= offset && offset <= token.end) found = token;
  }
  return found;
}
