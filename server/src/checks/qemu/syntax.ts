/** Lines that QEMU refuses, or of which it takes something else than stands there. */
import { isTemplate } from '../../text/shape/checkShape';
import type { LineProblem, LineProblemKind } from '../../vmm/pc/readconfig/read';
import type { Found } from '../check';
import type { Places } from '../places';
import { qemuCheck } from './qemuCheck';

const EMPTY =
  'QEMU takes it for a key with an empty value, and most groups then refuse the key or the value (before 6.1 it is a parse error)';

const MESSAGES: Readonly<Record<LineProblemKind, string>> = {
  header: `This is no group: ${EMPTY}.`,
  'unclosed-header':
    'QEMU looks for no `]` behind an id, and takes the end of the line for a part of a name without one: the group is another one than it seems, or none.',
  blank: 'Only a line without any character is blank to QEMU: on this one it ends with "parse error".',
  comment: `A comment begins in the first column. This line is a key to QEMU: ${EMPTY}.`,
  glued: `QEMU reads a key up to the next blank, so the sign is a part of it: ${EMPTY}.`,
  unquoted: `A value stands in double quotes. Here QEMU finds none: ${EMPTY}.`,
  'no-value': `A line is a group, a comment or \`key = "value"\`, and this is none of them: ${EMPTY}.`,
  'unclosed-value': 'The closing quote is missing: QEMU takes the end of the line into the value.',
  tail: 'QEMU looks at nothing behind the closing quote of a value: this is ignored.',
  'long-name':
    'Names, ids and keys have at most 63 bytes: QEMU cuts a longer one, or takes the line for another.',
  'long-line':
    'QEMU reads a line in pieces of at most 1023 bytes and takes each for a line of its own: the rest of this one is a key, or an error.',
  'no-group': 'No group stands above this line: QEMU ends with "no group defined".',
};

export const syntax = qemuCheck(
  { code: 'qemu-config-syntax', severity: 'error', title: 'A line that QEMU does not read as it looks' },
  function* ({ problems }, places) {
    let returns = 0;
    for (const problem of problems) {
      const text = places.source.text.slice(problem.start, problem.end);
      if (isTemplate(text)) continue;
      // A file of DOS lines has one finding, and not one a paragraph.
      if (problem.kind === 'blank' && text === '\r' && returns++ > 0) continue;
      yield found(problem, text, places);
    }
  },
);

function found(problem: LineProblem, text: string, places: Places): Found {
  const { kind, start, end, replacement } = problem;
  const dos = kind === 'blank' && text === '\r';
  return {
    at: places.at(start === end ? { start: Math.max(0, start - 1), end } : problem),
    ...(kind === 'tail' ? { severity: 'warning' as const } : {}),
    message: dos
      ? 'This blank line ends with CR LF, and only a line without any character is blank to QEMU: it ends with "parse error". Save the file with LF line ends.'
      : MESSAGES[kind],
    ...(kind === 'comment'
      ? { fixes: [places.replace('Begin it in the first column', lineStart(problem, places), '', true)] }
      : {}),
    ...(replacement !== undefined && !dos
      ? {
          fixes: [
            places.replace(
              replacement === '' ? 'Remove the blanks' : `Change to ${replacement}`,
              problem,
              replacement,
              kind === 'blank' || kind === 'glued',
            ),
          ],
        }
      : {}),
  };
}

/** The blanks in front of a line's text. */
function lineStart({ start }: LineProblem, { source }: Places): { start: number; end: number } {
  return { start: source.text.lastIndexOf('\n', start - 1) + 1, end: start };
}
