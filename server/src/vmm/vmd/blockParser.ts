/** The blocks of vm.conf, `vm` and `switch`: their names, braces, options, and the newlines between those. */
import { beginsLine, indentOf, named, type Cursor } from './cursor';
import type { Grammar } from './grammar';
import type { Span, Token } from './lexer';
import { defineMacro } from './macroParser';
import { switchOption } from './switchOptions';
import type { SwitchBlock, Text, VmBlock } from './syntax';
import { vmOption } from './vmOptions';

type BlockKind = 'vm' | 'switch';

/** To be called at `vm`. Null where there is no name. */
export function parseVm(cursor: Cursor, grammar: Grammar): VmBlock | null {
  const first = cursor.next();
  const outer = cursor.text('the name of a VM');
  if (!outer) return skipped(cursor);
  const inner = cursor.accept('instance') ? cursor.text('the name of the instance') : null;
  const name = inner ?? outer;
  const brace = openBrace(cursor, name, 'vm');
  const options = brace
    ? parseOptions(cursor, grammar, 'vm', brace, (at) => vmOption(cursor, grammar, at))
    : [];
  return { kind: 'vm', name, parent: inner ? outer : null, options, brace, ...cursor.spanFrom(first) };
}

/** To be called at `switch`. Null where there is no name. */
export function parseSwitch(cursor: Cursor, grammar: Grammar): SwitchBlock | null {
  const first = cursor.next();
  const name = cursor.text('the name of a switch');
  if (!name) return skipped(cursor);
  const brace = openBrace(cursor, name, 'switch');
  const options = brace
    ? parseOptions(cursor, grammar, 'switch', brace, (at) => switchOption(cursor, at))
    : [];
  return { kind: 'switch', name, options, brace, ...cursor.spanFrom(first) };
}

function skipped(cursor: Cursor): null {
  cursor.skipLine();
  return null;
}

/** The `{`, which must stand on the line of the name. Null where there is none. */
function openBrace(cursor: Cursor, name: Text, kind: BlockKind): Token | null {
  if (cursor.at('{')) return cursor.next();
  let newlines = 0;
  while (newlines < 4 && cursor.peek(newlines).kind === 'newline') newlines++;
  const brace = cursor.peek(newlines);
  if (newlines > 0 && brace.kind === 'punctuation' && brace.text === '{') {
    const gap = { source: name.source, start: name.end, end: brace.end };
    cursor.report(
      'vmconf-missing-brace',
      brace,
      `The brace must stand on the line of the name: vmd reports a syntax error at the end of that line.`,
      {
        fixes: brace.source === name.source ? [cursor.fix('Move the brace up', gap, ' {', true)] : [],
      },
    );
    cursor.skipNewlines();
    return cursor.next();
  }
  cursor.report(
    'vmconf-missing-brace',
    name,
    `A ${kind} block wants \`{\` after its name, not ${named(cursor.peek())}.`,
  );
  if (!cursor.atLineEnd()) cursor.skipLine();
  return null;
}

/**
 * The options up to the closing brace. After the first one no newline is needed, after every later one it is, also
 * before the brace (`vm_opts_l : vm_opts_l vm_opts nl | vm_opts optnl`).
 */
function parseOptions<T extends Span>(
  cursor: Cursor,
  grammar: Grammar,
  kind: BlockKind,
  brace: Token,
  parse: (first: Token) => T | null,
): T[] {
  const options: T[] = [];
  let count = 0;
  for (;;) {
    cursor.skipNewlines();
    const token = cursor.peek();
    if (cursor.at('}')) {
      cursor.next();
      if (count === 0) emptyBlock(cursor, kind, brace, token);
      return options;
    }
    if (token.kind === 'end' || cursor.startsStatement()) {
      cursor.report(
        'vmconf-missing-brace',
        brace,
        `This ${kind} block is not closed: vmd reads the statements after it as its options.`,
      );
      return options;
    }
    const option = isMacroDefinition(cursor) ? misplacedMacro(cursor) : parse(token);
    if (option) options.push(option);
    count++;
    separate(cursor, grammar, kind, count === 1, option ?? token);
  }
}

function emptyBlock(cursor: Cursor, kind: BlockKind, brace: Token, close: Token): void {
  const at = { ...brace, end: close.source === brace.source ? close.end : brace.end };
  const wanted = kind === 'switch' ? 'an `interface` at least' : 'one option at least';
  cursor.report(
    'vmconf-empty-block',
    at,
    `This ${kind} block is empty: vmd wants ${wanted} and reports a syntax error.`,
  );
}

function isMacroDefinition(cursor: Cursor): boolean {
  const after = cursor.peek(1);
  return cursor.peek().kind === 'string' && after.kind === 'punctuation' && after.text === '=';
}

function misplacedMacro(cursor: Cursor): null {
  cursor.report(
    'vmconf-macro-definition',
    cursor.peek(),
    'Macros are defined between the blocks: inside a block vmd reports a syntax error.',
  );
  defineMacro(cursor);
  return null;
}

/** Checks what stands between an option and the next. */
function separate(cursor: Cursor, grammar: Grammar, kind: BlockKind, isFirst: boolean, option: Span): void {
  const token = cursor.peek();
  // A block within the option that was never closed ends with the line: that was reported.
  if (
    cursor.atLineEnd() ||
    beginsLine(token) ||
    (isFirst && (cursor.at('}') || beginsOption(token, grammar, kind)))
  )
    return;
  if (cursor.at('}') || beginsOption(token, grammar, kind)) {
    const gap = {
      source: token.source,
      start: option.source === token.source ? option.end : token.start,
      end: token.start,
    };
    const what = cursor.at('}') ? 'the closing brace' : named(token);
    cursor.report(
      'vmconf-option-separator',
      token,
      `A newline is wanted before ${what}: only the first option of a block needs none after it.`,
      {
        fixes:
          gap.end >= gap.start
            ? [
                cursor.fix(
                  'Break the line',
                  gap,
                  `\n${indentOf(token) || (cursor.at('}') ? '' : '\t')}`,
                  true,
                ),
              ]
            : [],
      },
    );
    return;
  }
  cursor.expected('the end of the line');
  cursor.skipLine();
}

function beginsOption(token: Token, grammar: Grammar, kind: BlockKind): boolean {
  return token.kind === 'keyword' && grammar.words(kind).has(token.text);
}
