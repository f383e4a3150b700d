/** Definitions of macros: `name = value`. */
import { named, type Cursor } from './cursor';
import type { Token } from './lexer';
import type { MacroDefinition } from './syntax';

/** `name = value`; to be called at the name. */
export function defineMacro(cursor: Cursor): MacroDefinition | null {
  const name = cursor.next();
  cursor.next();
  const nameable = name.kind === 'string' && !/^.+\s/s.test(name.text);
  if (!nameable) {
    const reason =
      name.kind === 'string'
        ? 'a macro name may not contain blanks'
        : `${named(name)} cannot be the name of a macro`;
    cursor.report(
      'vmconf-macro-definition',
      name,
      `${reason.charAt(0).toUpperCase()}${reason.slice(1)}: vmd reports a syntax error.`,
    );
  }
  const value = macroValue(cursor);
  if (!nameable) return null;
  if (!value) {
    cursor.define(name.text, null, null);
    return null;
  }
  const definition: MacroDefinition = { kind: 'macro', name, value, ...cursor.spanFrom(name) };
  cursor.define(name.text, value.kind === 'unknown' ? null : value.text, definition);
  return definition;
}

/** One quoted or unquoted string; anything else is reported with the whole rest of the line as it should be quoted. */
function macroValue(cursor: Cursor): Token | null {
  const first = cursor.peek();
  if ((first.kind === 'string' || first.kind === 'unknown') && isLineEnd(cursor.peek(1)))
    return cursor.next();
  if (cursor.atLineEnd()) {
    cursor.expected('the value of the macro (`""` for none)');
    return null;
  }
  while (!cursor.atLineEnd()) cursor.next();
  const at = cursor.spanFrom(first);
  const raw = at.source.text.slice(at.start, at.end);
  const quotable = !/["'$\\\r\n]/.test(raw);
  const reason = first.kind === 'number' ? 'a bare number is no string' : 'the value must be a single string';
  cursor.report('vmconf-macro-definition', at, `vmd takes no such value: ${reason}.`, {
    fixes: quotable ? [cursor.fix('Quote the value', at, `"${raw}"`, true)] : [],
  });
  return { ...first, ...at, kind: 'string', text: raw };
}

function isLineEnd(token: Token): boolean {
  return token.kind === 'newline' || token.kind === 'end';
}
