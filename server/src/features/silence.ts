/** How a finding is silenced where it stands: by a comment in the form of its format, else by the setting. */
import type { Document, LanguageKind } from '../machine/language';
import type { Finding, TextEdit } from '../text/finding';

/** The command of the client that sets `bootpath.severity` of a code to `off`; it takes `[code, uri]`. */
export const SILENCE_COMMAND = 'bootpath.silenceCode';

/** Where a format takes a comment. `behind` a line, or on a line of its own `above` it. */
interface CommentForm {
  readonly leader: '#' | '//';
  readonly place: 'behind' | 'above';
  /** Only in the first column. */
  readonly unindented?: boolean;
}

/** JSON has no comments. */
const COMMENTS: Readonly<Partial<Record<LanguageKind, CommentForm>>> = {
  vmconf: { leader: '#', place: 'behind' },
  propolis: { leader: '#', place: 'behind' },
  'boot-plan': { leader: '#', place: 'behind' },
  'libkrun-c': { leader: '//', place: 'behind' },
  // A # elsewhere belongs to the value.
  'bhyve-config': { leader: '#', place: 'above', unindented: true },
  'bhyve-command': { leader: '#', place: 'above' },
  'vm-bhyve': { leader: '#', place: 'above', unindented: true },
  'qemu-config': { leader: '#', place: 'above', unindented: true },
  memmap: { leader: '#', place: 'above', unindented: true },
};

/** Longer lines are full of something else. */
const LONGEST_LINE = 500;

export type Silencing =
  | { readonly kind: 'comment'; readonly title: string; readonly edit: TextEdit }
  | { readonly kind: 'setting'; readonly title: string; readonly code: string; readonly uri: string };

/** None for what the VMM itself rejects: the file does not work, silence or not. */
export function silencing(document: Document, { code, severity, at }: Finding): Silencing | null {
  if (severity === 'error' || !at || at.uri !== document.source.uri) return null;
  return (
    comment(document, code, at.range.start.line) ?? {
      kind: 'setting',
      title: `Silence ${code} in the settings`,
      code,
      uri: at.uri,
    }
  );
}

/** Null where no comment can stand. */
function comment({ source, language }: Document, code: string, line: number): Silencing | null {
  const form = COMMENTS[language];
  if (!form) return null;
  const { lines, uri } = source;
  const text = lines.lineText(line);
  const before = line === 0 ? '' : lines.lineText(line - 1);
  if (text.length > LONGEST_LINE || before.trimEnd().endsWith('\\')) return null;
  const edit = (character: number, newText: string, onLine = line): TextEdit => {
    const place = { line: onLine, character };
    return { uri, range: { start: place, end: place }, newText };
  };
  const titled = (made: TextEdit): Silencing => ({
    kind: 'comment',
    title: `Silence ${code} on this line`,
    edit: made,
  });
  if (form.place === 'behind') {
    if (text.trimEnd().endsWith('\\')) return null;
    const directive = text.includes('bootpath-disable-line') ? '' : ` ${form.leader} bootpath-disable-line`;
    return titled(edit(text.length, `${directive} ${code}`));
  }
  if (before.includes('bootpath-disable-next-line')) return titled(edit(before.length, ` ${code}`, line - 1));
  const indent = form.unindented ? '' : (/^[ \t]*/.exec(text)?.[0] ?? '');
  return titled(edit(0, `${indent}${form.leader} bootpath-disable-next-line ${code}\n`));
}
