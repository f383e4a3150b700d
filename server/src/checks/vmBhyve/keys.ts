/** Keys that vm-bhyve does not read, and lines that it reads otherwise than a shell would. */
import { closest } from '../../text/closest';
import { GUEST_KEYS, guestKey, patternOf } from '../../vmm/bhyve/vmBhyve/keys';
import { at, replace, shown } from '../places';
import { vmBhyveCheck } from './vmBhyveCheck';

/** config.sample documents it, and nothing reads it. */
const RENAMED: ReadonlyMap<string, string> = new Map([['ignore_bad_msr', 'ignore_msr']]);

export const unknownKey = vmBhyveCheck(
  { code: 'vm-bhyve-unknown-key', severity: 'warning', title: 'A key that vm-bhyve does not read' },
  function* (guest) {
    const patterns = GUEST_KEYS.map(({ key }) => key);
    let proposals = 0;
    for (const { key, keySpan } of guest.lines) {
      // Blanks have a rule of their own.
      if (guestKey(key.trim())) continue;
      const { pattern, number } = patternOf(key);
      const found = RENAMED.get(key) ?? (++proposals < 500 ? closest(pattern, patterns) : undefined);
      const nearest = found?.replace('N', number === null ? '0' : String(Number(number)));
      const documented = RENAMED.has(key) ? ' Its config.sample names it all the same.' : '';
      yield {
        ...(nearest === undefined ? { severity: 'information' as const } : {}),
        at: at(guest, keySpan),
        message: `vm-bhyve reads no key \`${shown(key)}\`: the line has no effect.${documented}${nearest === undefined ? '' : ` Did you mean \`${nearest}\`?`}`,
        fixes:
          nearest === undefined || guest.values.has(nearest)
            ? []
            : [replace(guest, `Change to ${nearest}`, keySpan, nearest)],
        tags: ['unnecessary'],
      };
    }
  },
);

export const whitespace = vmBhyveCheck(
  { code: 'vm-bhyve-whitespace', severity: 'warning', title: 'Blanks that vm-bhyve does not take away' },
  function* (guest) {
    for (const span of guest.skipped) {
      const line = guest.source.text.slice(span.start, span.end);
      const name = /^[ \t]*([A-Za-z]\w*)=/.exec(line)![1]!;
      if (!guestKey(name.toLowerCase())) continue;
      const better = line.trimStart().replace(name, name.toLowerCase());
      yield {
        at: at(guest, span),
        message: `vm-bhyve leaves out every line that does not begin with a small letter: \`${shown(name)}\` is not set here.`,
        fixes: [replace(guest, 'Write it at the beginning of the line, in small letters', span, better)],
      };
    }
    for (const { key, value, written, keySpan, valueSpan } of guest.lines) {
      if (key !== key.trim()) {
        yield {
          at: at(guest, keySpan),
          message: `The blank before the equals sign belongs to the key: vm-bhyve looks for \`${shown(key.trim())}\` and does not find it here.`,
          fixes: [
            replace(
              guest,
              'Remove the blanks',
              { start: keySpan.start, end: valueSpan.end },
              `${key.trim()}=${written.trim()}`,
              true,
            ),
          ],
        };
      } else if (value !== value.trim() && value.trim() !== '') {
        const what = value.endsWith('\r') ? 'a carriage return' : 'a blank or tab';
        yield {
          at: at(guest, valueSpan),
          message: `The value has ${what} at its ${value.trimStart() !== value ? 'beginning' : 'end'}: vm-bhyve takes away only spaces at the end of the line, and hands \`${shown(value)}\` on.`,
          fixes: [
            replace(
              guest,
              'Remove it',
              valueSpan,
              written.includes('"') ? `"${value.trim()}"` : value.trim(),
              true,
            ),
          ],
        };
      }
    }
  },
);

export const duplicateKey = vmBhyveCheck(
  { code: 'vm-bhyve-duplicate-key', severity: 'warning', title: 'A key that an earlier line sets' },
  function* (guest) {
    for (const line of guest.lines) {
      const first = guest.values.get(line.key)!;
      if (first === line) continue;
      const { start, end } = first.keySpan;
      yield {
        ...(first.value === line.value ? { severity: 'hint' as const } : {}),
        at: at(guest, { start: line.keySpan.start, end: line.valueSpan.end }),
        message: `\`${shown(line.key)}\` is set before, to \`${shown(first.value)}\`: vm-bhyve takes the first line of a key, not the last as a shell would.`,
        related: [{ at: guest.source.at(start, end), message: 'The one that counts' }],
        tags: ['unnecessary'],
      };
    }
  },
);

export const comment = vmBhyveCheck(
  { code: 'vm-bhyve-comment', severity: 'warning', title: 'A number sign that cuts a value off' },
  function* (guest) {
    for (const { key, value, cutAt } of guest.lines) {
      if (cutAt === null) continue;
      yield {
        at: at(guest, { start: cutAt, end: cutAt + 1 }),
        message: `A number sign begins a comment inside of quotes too: \`${shown(key)}\` is \`${shown(value)}\`, and what follows is lost.`,
      };
    }
  },
);

export const quotes = vmBhyveCheck(
  { code: 'vm-bhyve-quotes', severity: 'error', title: 'Single quotes, which stay in the value' },
  function* (guest) {
    for (const { key, written, valueSpan } of guest.lines) {
      if (!/^'[^']*'$/.test(written) || !guestKey(key)) continue;
      yield {
        at: at(guest, valueSpan),
        message: `vm-bhyve takes away double quotes only: \`${shown(key)}\` is \`${shown(written)}\`, with the single quotes.`,
        fixes: [replace(guest, 'Use double quotes', valueSpan, `"${written.slice(1, -1)}"`, true)],
      };
    }
  },
);
