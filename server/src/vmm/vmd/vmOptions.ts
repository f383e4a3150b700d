/** The options of a `vm` block, one a function of the grammar. */
import type { Cursor } from './cursor';
import type { Grammar } from './grammar';
import { parseInterface } from './interfaceParser';
import type { Span, Token } from './lexer';
import type { InstanceFlag, VmOption } from './syntax';
import { unknownOption } from './unknownOption';

/** To be called where an option of a `vm` block begins. Null where nothing of it is understood. */
export function vmOption(cursor: Cursor, grammar: Grammar, first: Token): VmOption | null {
  const span = (): Span => cursor.spanFrom(first);
  switch (first.kind === 'keyword' ? first.text : '') {
    case 'enable':
    case 'disable':
    case 'sev':
    case 'seves':
      cursor.next();
      return { kind: first.text as 'enable' | 'disable' | 'sev' | 'seves', ...span() };
    case 'memory': {
      cursor.next();
      const value = cursor.value('a memory size such as 512M');
      return value && { kind: 'memory', value, ...span() };
    }
    case 'disk': {
      cursor.next();
      const path = cursor.at('format') ? null : cursor.text('the path of a disk image');
      if (!path && cursor.at('format')) cursor.expected('the path of a disk image');
      const format = cursor.accept('format') ? cursor.text('raw or qcow2') : null;
      return path && { kind: 'disk', path, format, ...span() };
    }
    case 'local':
      if (cursor.peek(1).text === 'interface') return parseInterface(cursor, grammar);
      cursor.next();
      cursor.expected('`interface` after `local`');
      cursor.skipLine();
      return null;
    case 'interface':
      return parseInterface(cursor, grammar);
    case 'boot':
      return boot(cursor, first);
    case 'cdrom': {
      cursor.next();
      const path = cursor.text('the path of an ISO image');
      return path && { kind: 'cdrom', path, ...span() };
    }
    case 'interfaces': {
      cursor.next();
      const count = cursor.number('a number of interfaces');
      return count && { kind: 'interfaces', count, ...span() };
    }
    case 'owner': {
      cursor.next();
      const owner = parseOwner(cursor, grammar);
      return owner && { kind: 'owner', owner, ...span() };
    }
    case 'allow':
      return allow(cursor, grammar, first);
    default:
      return { kind: 'unknown', word: first, ...unknownOption(cursor, grammar, 'vm') };
  }
}

function parseOwner(cursor: Cursor, grammar: Grammar): Token | null {
  if (grammar.ownerOptional && cursor.atLineEnd()) return null;
  return cursor.value('a user, user:group or :group');
}

function boot(cursor: Cursor, first: Token): VmOption | null {
  cursor.next();
  if (!cursor.atKeyword('device')) {
    const path = cursor.text('the path of a kernel or BIOS image');
    return path && { kind: 'boot', path, ...cursor.spanFrom(first) };
  }
  cursor.next();
  if (cursor.atKeyword('cdrom', 'disk', 'net')) {
    const device = cursor.next().text as 'cdrom' | 'disk' | 'net';
    return { kind: 'boot-device', device, ...cursor.spanFrom(first) };
  }
  cursor.expected('`cdrom`, `disk` or `net`');
  cursor.skipLine();
  return null;
}

const FLAGS = ['boot', 'memory', 'interface', 'disk', 'cdrom', 'instance', 'owner'] as const;

/** `allow instance flag`, or `allow instance { flag [,] … }` with a comma or a newline between two flags. */
function allow(cursor: Cursor, grammar: Grammar, first: Token): VmOption | null {
  cursor.next();
  if (!cursor.accept('instance')) {
    cursor.expected('`instance` after `allow`');
    cursor.skipLine();
    return null;
  }
  const flags: InstanceFlag[] = [];
  const done = (): VmOption => ({ kind: 'allow', flags, ...cursor.spanFrom(first) });
  const brace = cursor.accept('{');
  if (!brace) {
    if (cursor.atKeyword(...FLAGS)) flags.push(instanceFlag(cursor, grammar));
    else cursor.expected('an option that instances may set, or `{`');
    return done();
  }
  cursor.skipNewlines();
  while (!cursor.at('}')) {
    if (!cursor.atKeyword(...FLAGS)) {
      if (cursor.peek().kind === 'end' || cursor.startsStatement()) {
        cursor.report('vmconf-missing-brace', brace, 'This brace is not closed.');
        return done();
      }
      cursor.expected('boot, cdrom, disk, instance, interface, memory or owner');
      cursor.skipLine();
      cursor.skipNewlines();
      continue;
    }
    flags.push(instanceFlag(cursor, grammar));
    const comma = cursor.accept(',');
    const newline = cursor.peek().kind === 'newline';
    cursor.skipNewlines();
    if (cursor.at('}') && comma) {
      cursor.report(
        'vmconf-syntax',
        comma,
        'No comma may stand after the last flag: vmd reports a syntax error.',
        {
          fixes: [cursor.fix('Remove the comma', comma, '', true)],
        },
      );
    }
    if (!cursor.at('}') && !comma && !newline) {
      cursor.report(
        'vmconf-option-separator',
        cursor.peek(),
        'A comma or a newline is wanted between two flags.',
      );
      if (!cursor.atKeyword(...FLAGS)) cursor.skipLine();
    }
  }
  if (flags.length === 0)
    cursor.report(
      'vmconf-empty-block',
      brace,
      'These braces are empty: vmd wants at least one flag in them.',
    );
  cursor.next();
  return done();
}

function instanceFlag(cursor: Cursor, grammar: Grammar): InstanceFlag {
  const first = cursor.next();
  const owner = first.text === 'owner' ? parseOwner(cursor, grammar) : null;
  return { flag: first.text as InstanceFlag['flag'], owner, ...cursor.spanFrom(first) };
}
