/** The tokens of a vm.conf and of the files that it includes, with macros expanded and lexical errors reported. */
import type { Finding, Fix, RelatedPlace } from '../../text/finding';
import { SourceText } from '../../text/sourceText';
import { Lexer, type LexicalProblem, type Span, type Token } from './lexer';
import { PARSE_PROBLEMS, type ParseProblem } from './problems';
import type { MacroDefinition, MacroEntry, MacroUse } from './syntax';

export const INCLUDE_DEPTH = 16;
/** Files that include each other tenfold would grow beyond every limit, and each is read anew wherever it stands. */
const MOST_INCLUDES = 1000;
/** A file of garbage has an error in every line; nobody reads more than these. */
const MOST_PROBLEMS = 500;
/** More than ten thousand VMs have: a longer text is read to here, so that no file costs more than its first part. */
export const MOST_TOKENS = 300_000;

export interface StreamOptions {
  readonly keywords: ReadonlySet<string>;
  /** Texts of included files by URI. */
  readonly files: ReadonlyMap<string, string>;
  /** Macros given outside the text; they win over those of the text (`vmd -D`). */
  readonly defines: ReadonlyMap<string, string>;
}

export interface ProblemExtras {
  readonly related?: readonly RelatedPlace[];
  readonly fixes?: readonly Fix[];
  readonly severity?: Finding['severity'];
}

export class TokenStream {
  readonly problems: Finding[] = [];
  readonly macroUses: MacroUse[] = [];
  /** Every definition in the order of the text. */
  readonly macros: MacroEntry[] = [];
  readonly wanted: string[] = [];
  /** All files that were read, the main one first. */
  readonly sources: SourceText[] = [];
  private readonly current = new Map<string, MacroEntry | null>();
  private readonly files: Lexer[] = [];
  private readonly ahead: Token[] = [];
  private carriageReturnReported = false;
  private tokensLeft = MOST_TOKENS;
  private included = 0;

  constructor(
    source: SourceText,
    private readonly options: StreamOptions,
  ) {
    for (const [name, value] of options.defines) this.enter(name, { name, value, definition: null, uses: 0 });
    this.open(source);
  }

  peek(ahead = 0): Token {
    while (this.ahead.length <= ahead) this.ahead.push(this.read());
    return this.ahead[ahead]!;
  }

  next(): Token {
    const token = this.peek();
    // The last `end` stays, so that looking past it is safe.
    if (token.kind !== 'end') this.ahead.shift();
    return token;
  }

  /** Goes on with the text of an included file, if it is at hand. To be called at the end of a line. */
  include(uri: string, at: Span): void {
    if (this.files.some((file) => file.source.uri === uri)) {
      this.report(
        'vmconf-include-cycle',
        at,
        `This file is already being read: vmd would open it again and again, until no file descriptor is left.`,
      );
      return;
    }
    if (this.files.length > INCLUDE_DEPTH) {
      this.report(
        'vmconf-include-depth',
        at,
        `Includes are nested more than ${INCLUDE_DEPTH} deep: Bootpath does not read this one.`,
      );
      return;
    }
    if (this.included >= MOST_INCLUDES) {
      if (this.included++ > MOST_INCLUDES) return;
      this.report(
        'vmconf-include-depth',
        at,
        `More than ${MOST_INCLUDES} files are included: Bootpath reads neither this one nor those after it.`,
      );
      return;
    }
    const text = this.options.files.get(uri);
    if (text === undefined) {
      if (!this.wanted.includes(uri)) this.wanted.push(uri);
      return;
    }
    this.included++;
    this.open(this.sources.find((source) => source.uri === uri) ?? new SourceText(uri, text));
  }

  /** Defines a macro for what follows. A value of null is one that is not known. */
  define(name: string, value: string | null, definition: MacroDefinition | null): void {
    if (this.options.defines.has(name)) return;
    if (value === null) this.current.set(name, null);
    else this.enter(name, { name, value, definition, uses: 0 });
  }

  /** The definitions that are in force at the end: those that vmd looks at for its warning. */
  macrosAtEnd(): MacroEntry[] {
    return [...this.current.values()].filter((entry) => entry !== null);
  }

  report(code: ParseProblem, at: Span, message: string, extras: ProblemExtras = {}): void {
    if (this.problems.length >= MOST_PROBLEMS) return;
    // Where reading was given up, the text only seems to end.
    if (this.tokensLeft < 0 && code !== 'vmconf-too-long') return;
    const { severity = PARSE_PROBLEMS[code].severity, ...rest } = extras;
    this.problems.push({ code, severity, message, at: at.source.at(at.start, at.end), ...rest });
  }

  private enter(name: string, entry: MacroEntry): void {
    this.current.set(name, entry);
    this.macros.push(entry);
  }

  private open(source: SourceText): void {
    if (!this.sources.includes(source)) this.sources.push(source);
    this.files.push(
      new Lexer(source, {
        keywords: this.options.keywords,
        macro: (name, at) => this.expand(name, at),
        problem: (kind, at, text) => this.lexicalProblem(kind, at, text),
      }),
    );
  }

  private read(): Token {
    if (this.tokensLeft <= 0) return this.exhausted();
    this.tokensLeft--;
    for (;;) {
      const token = this.files[this.files.length - 1]!.next();
      if (token.kind !== 'end' || this.files.length === 1) return token;
      this.files.pop();
    }
  }

  private exhausted(): Token {
    const { source } = this.files[this.files.length - 1]!;
    const at = source.text.length;
    const end: Token = { kind: 'end', source, start: at, end: at, text: '', quoted: false, macro: null };
    if (this.tokensLeft-- === 0) {
      const last = { source, start: Math.max(0, at - 1), end: at };
      this.report(
        'vmconf-too-long',
        last,
        `Bootpath reads the first ${MOST_TOKENS} words of a vm.conf; what follows them here is not checked.`,
      );
    }
    return end;
  }

  private expand(name: string, at: Span): string | null | undefined {
    const entry = this.current.get(name);
    this.macroUses.push({ name, value: entry?.value, ...at });
    if (entry) entry.uses++;
    // A file that was not read may define it.
    if (entry === undefined && this.wanted.length > 0) return null;
    return entry === undefined ? undefined : (entry?.value ?? null);
  }

  private lexicalProblem(kind: LexicalProblem, at: Span, text: string): void {
    switch (kind) {
      case 'unterminated-string':
        this.report(
          'vmconf-unterminated-string',
          at,
          'This quote is not closed on its line: vmd would read the lines after it as part of the string.',
        );
        return;
      case 'number-range':
        this.report('vmconf-number-range', at, 'This number does not fit 64 bits: vmd refuses the file.');
        return;
      case 'string-too-long':
        this.report(
          'vmconf-string-too-long',
          at,
          `This word has ${text.length} characters: vmd reads words into a buffer of 8096 bytes and refuses longer ones.`,
        );
        return;
      case 'undefined-macro':
        this.undefinedMacro(at, text);
        return;
      case 'carriage-return':
        if (this.carriageReturnReported) return;
        this.carriageReturnReported = true;
        this.report(
          'vmconf-line-endings',
          at,
          'Lines of this file end in CR LF: vmd does not skip the carriage return and reports a syntax error in each of them. Save the file with LF line endings.',
        );
    }
  }

  private undefinedMacro(at: Span, name: string): void {
    if (name === '') {
      this.report(
        'vmconf-undefined-macro',
        at,
        'A `$` must be followed by the name of a macro (letters, digits and `_`); vm.conf has no `${…}`.',
      );
      return;
    }
    const known = [...this.current.keys()].find((other) => other.toLowerCase() === name.toLowerCase());
    const range = at.source.lines.rangeAt(at.start, at.end);
    const fixes = known
      ? [
          {
            title: `Use $${known}`,
            edits: [{ uri: at.source.uri, range, newText: `$${known}` }],
            preferred: true,
          },
        ]
      : [];
    this.report(
      'vmconf-undefined-macro',
      at,
      `Macro \`${name}\` is not defined before this line: vmd refuses the file.`,
      { fixes },
    );
  }
}
