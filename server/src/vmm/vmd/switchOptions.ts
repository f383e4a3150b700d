/** The options of a `switch` block. */
import type { Cursor } from './cursor';
import type { Span, Token } from './lexer';
import type { SwitchOption } from './syntax';
import { unknownOption } from './unknownOption';

/** To be called where an option of a `switch` block begins. Null where nothing of it is understood. */
export function switchOption(cursor: Cursor, first: Token): SwitchOption | null {
  const span = (): Span => cursor.spanFrom(first);
  switch (first.kind === 'keyword' ? first.text : '') {
    case 'enable':
    case 'disable':
    case 'up':
    case 'down':
      cursor.next();
      return { kind: first.text as 'enable' | 'disable' | 'up' | 'down', ...span() };
    case 'interface':
    case 'group': {
      cursor.next();
      const name = cursor.text(first.text === 'group' ? 'the name of a group' : 'a bridge or veb interface');
      return name && { kind: first.text as 'interface' | 'group', name, ...span() };
    }
    case 'locked':
      cursor.next();
      if (cursor.accept('lladdr')) return { kind: 'locked-lladdr', ...span() };
      cursor.expected('`lladdr` after `locked`');
      return null;
    case 'rdomain': {
      cursor.next();
      const id = cursor.number('a routing domain (a number)');
      return id && { kind: 'rdomain', id, ...span() };
    }
    default:
      unknownOption(cursor, null, 'switch');
      return null;
  }
}
