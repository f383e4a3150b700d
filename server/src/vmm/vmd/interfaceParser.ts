/** `[local] interface …` of a VM: the name, and options in braces or on the same line. */
import type { Cursor } from './cursor';
import type { Token } from './lexer';
import type { Grammar } from './grammar';
import type { InterfaceOption, VmOption } from './syntax';

const OPTIONS = ['switch', 'group', 'locked', 'lladdr', 'rdomain', 'up', 'down'] as const;

/** To be called at `interface`, or at the `local` before it. */
export function parseInterface(cursor: Cursor, grammar: Grammar): VmOption {
  const first = cursor.next();
  const local = first.text === 'local';
  if (local) cursor.next();
  const name = cursor.peek().kind === 'string' || cursor.peek().kind === 'unknown' ? cursor.next() : null;
  if (!name && cursor.peek().kind === 'number') cursor.word('an interface name (tap or tapN)');
  const options = cursor.at('{') ? braced(cursor, grammar) : inline(cursor, grammar);
  return { kind: 'interface', local, name, options, ...cursor.spanFrom(first) };
}

/** `{ option … }`: at least one, a newline between two is allowed, a comma is not. */
function braced(cursor: Cursor, grammar: Grammar): InterfaceOption[] {
  const brace = cursor.next();
  const options: InterfaceOption[] = [];
  let misread = false;
  for (;;) {
    cursor.skipNewlines();
    if (cursor.at('}')) {
      const close = cursor.next();
      if (options.length === 0 && !misread) {
        const at = { ...brace, end: close.source === brace.source ? close.end : brace.end };
        cursor.report(
          'vmconf-empty-block',
          at,
          'These braces are empty: vmd wants at least one option in them, or no braces.',
          {
            fixes: [cursor.fix('Remove the braces', at, '', true)],
          },
        );
      }
      return options;
    }
    if (!cursor.atKeyword(...OPTIONS) || cursor.startsStatement()) {
      if (cursor.at(',')) {
        removeComma(cursor, 'Options in the braces of an interface are separated by blanks or newlines');
        continue;
      }
      if (isVmOption(cursor.peek()) || cursor.peek().kind === 'end' || cursor.startsStatement()) {
        cursor.report(
          'vmconf-missing-brace',
          brace,
          'This brace is not closed: vmd reads the lines after it as options of the interface.',
        );
        return options;
      }
      cursor.report(
        'vmconf-unknown-option',
        cursor.peek(),
        `An interface has no option \`${cursor.peek().text}\`: switch, group, [locked] lladdr, rdomain, up and down are known.`,
      );
      misread = true;
      cursor.skipLine();
      continue;
    }
    const option = parseOption(cursor, grammar);
    if (option) options.push(option);
    else cursor.skipLine();
    misread ||= !option;
  }
}

/** Without braces: all on the line; a comma may follow an option, but not the first. */
function inline(cursor: Cursor, grammar: Grammar): InterfaceOption[] {
  const options: InterfaceOption[] = [];
  for (;;) {
    if (cursor.at(',')) {
      if (options.length > 1) cursor.next();
      else
        removeComma(cursor, 'Only the second and later options of an interface may have a comma after them');
    }
    if (!cursor.atKeyword(...OPTIONS)) return options;
    const option = parseOption(cursor, grammar);
    if (!option) return options;
    options.push(option);
  }
}

function removeComma(cursor: Cursor, reason: string): void {
  const comma = cursor.peek();
  cursor.report('vmconf-syntax', comma, `${reason}: vmd refuses this comma.`, {
    fixes: [cursor.fix('Remove the comma', comma, '', true)],
  });
  cursor.next();
}

function isVmOption(token: Token): boolean {
  return (
    token.kind === 'keyword' &&
    [
      'memory',
      'disk',
      'boot',
      'cdrom',
      'owner',
      'allow',
      'enable',
      'disable',
      'local',
      'interface',
      'interfaces',
      'vm',
      'sev',
      'seves',
    ].includes(token.text)
  );
}

function parseOption(cursor: Cursor, grammar: Grammar): InterfaceOption | null {
  const first = cursor.next();
  switch (first.text) {
    case 'switch':
    case 'group': {
      const name = cursor.text(first.text === 'switch' ? 'the name of a switch' : 'the name of a group');
      return name && { kind: first.text, name, ...cursor.spanFrom(first) };
    }
    case 'locked':
      if (!cursor.accept('lladdr')) {
        cursor.expected('`lladdr` after `locked`');
        return null;
      }
      return lladdr(cursor, grammar, first, true);
    case 'lladdr':
      return lladdr(cursor, grammar, first, false);
    case 'rdomain': {
      const id = cursor.number('a routing domain (a number)');
      return id && { kind: 'rdomain', id, ...cursor.spanFrom(first) };
    }
    default:
      return { kind: first.text === 'down' ? 'down' : 'up', ...cursor.spanFrom(first) };
  }
}

function lladdr(cursor: Cursor, grammar: Grammar, first: Token, locked: boolean): InterfaceOption {
  const token = cursor.peek();
  const address = token.kind === 'string' || token.kind === 'unknown' ? cursor.next() : null;
  if (!address && (token.kind === 'number' || !grammar.addressOptional)) cursor.expected('a MAC address');
  return { kind: 'lladdr', locked, address, ...cursor.spanFrom(first) };
}
