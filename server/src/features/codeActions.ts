/** Quick fixes of findings, and `source.fixAll.bootpath` for those that are certain. */
import type { CodeAction, Diagnostic, TextEdit, WorkspaceEdit } from 'vscode-languageserver-types';
import type { Document } from '../machine/language';
import type { Finding, Fix, TextEdit as FixEdit } from '../text/finding';
import type { Position, TextRange } from '../text/position';
import { SILENCE_COMMAND, silencing, type Silencing } from './silence';

const FIX_ALL = 'source.fixAll.bootpath';
export const CODE_ACTION_KINDS = ['quickfix', FIX_ALL] as const;

export interface CodeActionQuery {
  readonly range: TextRange;
  /** The diagnostics that the client shows there. */
  readonly diagnostics: readonly Diagnostic[];
  /** Kinds asked for; undefined for all. */
  readonly only: readonly string[] | undefined;
}

export function codeActions(
  document: Document,
  findings: readonly Finding[],
  query: CodeActionQuery,
): CodeAction[] {
  const actions: CodeAction[] = [];
  if (wants(query.only, 'quickfix')) actions.push(...quickFixes(document, findings, query));
  if (wants(query.only, FIX_ALL)) {
    const edits = fixAllEdits(findings);
    if (edits.length > 0) {
      const title = 'Bootpath: apply all certain fixes';
      actions.push({ title, kind: FIX_ALL, edit: workspaceEdit(edits) });
    }
  }
  return actions;
}

/** A kind asks for all kinds below it: `source` for `source.fixAll.bootpath`. */
function wants(only: readonly string[] | undefined, kind: string): boolean {
  return only === undefined || only.some((asked) => kind === asked || kind.startsWith(asked + '.'));
}

function quickFixes(document: Document, findings: readonly Finding[], query: CodeActionQuery): CodeAction[] {
  return findings.flatMap((finding) => {
    if (finding.at?.uri !== document.source.uri) return [];
    const { range } = finding.at;
    const shown = query.diagnostics.find(
      (diagnostic) => diagnostic.code === finding.code && sameRange(diagnostic.range, range),
    );
    if (!shown && !touches(range, query.range)) return [];
    const about = { kind: 'quickfix', ...(shown ? { diagnostics: [shown] } : {}) };
    const fixes = (finding.fixes ?? []).map((fix) => ({
      ...about,
      title: fix.title,
      edit: workspaceEdit(fix.edits),
      ...(fix.preferred ? { isPreferred: true } : {}),
    }));
    const silence = silencing(document, finding);
    return silence ? [...fixes, { ...about, ...silenceAction(silence) }] : fixes;
  });
}

function silenceAction(silence: Silencing): Pick<CodeAction, 'title' | 'edit' | 'command'> {
  const { title } = silence;
  if (silence.kind === 'comment') return { title, edit: workspaceEdit([silence.edit]) };
  return { title, command: { title, command: SILENCE_COMMAND, arguments: [silence.code, silence.uri] } };
}

/** The edits of the first preferred fix of each finding; of fixes that overlap the first stays. */
export function fixAllEdits(findings: readonly Finding[]): FixEdit[] {
  const preferred = findings
    .map((finding) => finding.fixes?.find((fix) => fix.preferred))
    .filter((fix): fix is Fix => fix !== undefined && fix.edits.length > 0)
    .sort((a, b) => comparePositions(a.edits[0]!.range.start, b.edits[0]!.range.start));
  const last = new Map<string, TextRange>();
  const edits: FixEdit[] = [];
  for (const fix of preferred) {
    if (fix.edits.some((edit) => collides(last.get(edit.uri), edit.range))) continue;
    for (const edit of fix.edits) {
      const before = last.get(edit.uri);
      if (!before || comparePositions(edit.range.end, before.end) >= 0) last.set(edit.uri, edit.range);
      edits.push(edit);
    }
  }
  return edits;
}

/** Whether an edit begins before the furthest one so far ends, or repeats it: two insertions at one place have no order. */
function collides(before: TextRange | undefined, range: TextRange): boolean {
  return before !== undefined && (comparePositions(range.start, before.end) < 0 || sameRange(before, range));
}

function workspaceEdit(edits: readonly FixEdit[]): WorkspaceEdit {
  const changes: Record<string, TextEdit[]> = {};
  for (const { uri, range, newText } of edits) (changes[uri] ??= []).push({ range, newText });
  return { changes };
}

function comparePositions(a: Position, b: Position): number {
  return a.line - b.line || a.character - b.character;
}

function sameRange(a: TextRange, b: TextRange): boolean {
  return comparePositions(a.start, b.start) === 0 && comparePositions(a.end, b.end) === 0;
}

function touches(a: TextRange, b: TextRange): boolean {
  return comparePositions(a.start, b.end) <= 0 && comparePositions(b.start, a.end) <= 0;
}
