/** The parser of vm.conf: recursive descent by the rules of parse.y, with recovery at lines and braces. */
import type { Finding } from '../../text/finding';
import { resolveUri } from '../../text/resolveUri';
import type { SourceText } from '../../text/sourceText';
import { parseSwitch, parseVm } from './blockParser';
import { beginsLine, Cursor, named } from './cursor';
import { grammarOf, type Grammar } from './grammar';
import type { Token } from './lexer';
import { defineMacro } from './macroParser';
import type { GlobalStatement, IncludeStatement, MacroEntry, MacroUse, Statement } from './syntax';

export interface ParserOptions {
  readonly version: string;
  readonly files: ReadonlyMap<string, string>;
  readonly defines: ReadonlyMap<string, string>;
}

export interface Syntax {
  readonly statements: readonly Statement[];
  readonly problems: readonly Finding[];
  readonly macros: readonly MacroEntry[];
  /** In force at the end of the text. */
  readonly macrosAtEnd: readonly MacroEntry[];
  readonly macroUses: readonly MacroUse[];
  /** Files that were read, the main one first. */
  readonly sources: readonly SourceText[];
  /** URIs of includes that were not at hand. */
  readonly wanted: readonly string[];
  /** A template with statements, of whose lines some may be left out or made several times: nothing is certain about them. */
  readonly templated: boolean;
}

/** Reads a whole vm.conf with its includes. Never throws, and takes every text to its end. */
export function parseVmConf(source: SourceText, options: ParserOptions): Syntax {
  const grammar = grammarOf(options.version);
  const cursor = new Cursor(source, { ...options, keywords: grammar.keywords });
  const statements: Statement[] = [];
  while (cursor.peek().kind !== 'end') {
    if (cursor.peek().kind === 'newline') {
      cursor.next();
      continue;
    }
    const before = cursor.peek();
    const statement = parseStatement(cursor, grammar);
    if (statement) statements.push(statement);
    endStatement(cursor);
    if (statement?.kind === 'include') followInclude(cursor, statement);
    // Whatever happens, a round takes at least one token.
    if (cursor.peek() === before) cursor.next();
  }
  const templated = cursor.sources.some(({ text }) => text.includes('{%'));
  return {
    statements,
    problems: templated ? [] : cursor.problems,
    macros: cursor.macros,
    macrosAtEnd: cursor.macrosAtEnd(),
    macroUses: cursor.macroUses,
    sources: cursor.sources,
    wanted: cursor.wanted,
    templated,
  };
}

function parseStatement(cursor: Cursor, grammar: Grammar): Statement | null {
  const token = cursor.peek();
  const after = cursor.peek(1);
  if (after.kind === 'punctuation' && after.text === '=') return defineMacro(cursor);
  if (token.kind !== 'keyword') return strangeStatement(cursor);
  switch (token.text) {
    case 'vm':
      return parseVm(cursor, grammar);
    case 'switch':
      return parseSwitch(cursor, grammar);
    case 'include': {
      cursor.next();
      const path = cursor.text('the path of a file');
      return (
        path && {
          kind: 'include',
          path,
          uri: path.known ? resolveUri(path.text, token.source.uri) : null,
          ...cursor.spanFrom(token),
        }
      );
    }
    case 'local':
      return parseLocal(cursor);
    case 'socket':
      return parseSocket(cursor, grammar);
    case 'agentx':
      return parseAgentx(cursor);
    case 'staggered':
      return parseStaggered(cursor);
    default:
      return strangeStatement(cursor);
  }
}

function parseLocal(cursor: Cursor): GlobalStatement | null {
  const first = cursor.next();
  const values = new Map<string, Token>();
  const isInet6 = cursor.accept('inet6') !== null;
  const prefix = cursor.accept('prefix');
  if (!isInet6 && !prefix) {
    cursor.expected('`prefix` or `inet6` after `local`');
    cursor.skipLine();
    return null;
  }
  const value = prefix && cursor.word('an address with its prefix length');
  if (value) values.set('prefix', value);
  return { kind: isInet6 ? 'local-inet6' : 'local-prefix', arguments: values, ...cursor.spanFrom(first) };
}

function parseSocket(cursor: Cursor, grammar: Grammar): GlobalStatement | null {
  const first = cursor.next();
  if (!cursor.accept('owner')) {
    cursor.expected('`owner` after `socket`');
    cursor.skipLine();
    return null;
  }
  const owner =
    grammar.ownerOptional && cursor.atLineEnd() ? null : cursor.value('a user, user:group or :group');
  return {
    kind: 'socket-owner',
    arguments: new Map(owner ? [['owner', owner]] : []),
    ...cursor.spanFrom(first),
  };
}

function parseAgentx(cursor: Cursor): GlobalStatement {
  const first = cursor.next();
  const values = new Map<string, Token>();
  while (cursor.atKeyword('context', 'path')) {
    const { text } = cursor.next();
    const value = cursor.word(text === 'path' ? 'the path of a socket' : 'the name of a context');
    if (value) values.set(text, value);
  }
  return { kind: 'agentx', arguments: values, ...cursor.spanFrom(first) };
}

function parseStaggered(cursor: Cursor): GlobalStatement | null {
  const first = cursor.next();
  const values = new Map<string, Token>();
  for (const word of ['start', 'parallel', 'delay']) {
    if (!cursor.accept(word)) {
      cursor.expected(`\`${word}\` of \`staggered start parallel number delay seconds\``);
      cursor.skipLine();
      return null;
    }
    const value = word === 'start' ? null : cursor.number('a number');
    if (value) values.set(word, value);
  }
  return { kind: 'staggered', arguments: values, ...cursor.spanFrom(first) };
}

function strangeStatement(cursor: Cursor): null {
  const token = cursor.peek();
  if (cursor.at('}')) {
    cursor.report('vmconf-missing-brace', token, 'This brace closes no block.');
    cursor.next();
  } else if (token.kind === 'punctuation') cursor.expected('a statement');
  else if (token.kind !== 'unknown') {
    cursor.report(
      'vmconf-syntax',
      token,
      `No statement of vm.conf begins with ${named(token)}: vm, switch, include, local, socket, agentx, staggered or a macro definition is wanted.`,
    );
  }
  cursor.skipLine();
  if (cursor.at('}') && token !== cursor.peek()) cursor.next();
  return null;
}

/** A statement ends with its line. */
function endStatement(cursor: Cursor): void {
  if (cursor.atLineEnd()) {
    if (cursor.peek().kind === 'newline') cursor.next();
    return;
  }
  // A block that was never closed ends where the next statement begins: that was reported.
  if (cursor.startsStatement()) {
    const token = cursor.peek();
    if (beginsLine(token)) return;
    cursor.report(
      'vmconf-option-separator',
      token,
      `A newline is wanted before ${named(token)}: every statement begins a line of its own.`,
    );
    return;
  }
  // A brace too many is reported as that.
  if (cursor.at('}')) return;
  cursor.expected('the end of the line');
  cursor.skipLine();
  if (cursor.peek().kind === 'newline') cursor.next();
}

function followInclude(cursor: Cursor, statement: IncludeStatement): void {
  if (statement.uri !== null) cursor.include(statement.uri, statement);
}
