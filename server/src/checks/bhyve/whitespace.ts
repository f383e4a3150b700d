/** Nothing of a line is trimmed: blanks around the equals sign, at the ends, a carriage return and a comment behind a value count. */
import type { BhyveConfig } from '../../vmm/bhyve/config/config';
import type { ConfigEntry } from '../../vmm/bhyve/config/flatConfig';
import type { Found } from '../check';
import { at, replace, shown } from '../places';
import { bhyveCheck } from './bhyveCheck';

const COMMENT = /^(.*?)([ \t]+#.*)$/s;

export const whitespace = bhyveCheck(
  { code: 'bhyve-whitespace', severity: 'warning', title: 'Blanks that belong to a key or value' },
  function* (config) {
    if (config.form !== 'file') return;
    yield* carriageReturns(config);
    for (const entry of config.entries) {
      const found = blanks(config, entry);
      if (found) yield found;
    }
  },
);

/** One finding for the whole file. */
function* carriageReturns(config: BhyveConfig): Generator<Found> {
  const ended = config.entries.filter(({ raw }) => raw.endsWith('\r'));
  const first = ended[0];
  if (!first) return;
  const end = first.valueSpan.end;
  yield {
    severity: 'error',
    at: at(config, { start: end - 1, end }),
    message: `${ended.length === 1 ? 'A line ends' : `${ended.length} lines end`} with a carriage return, and it belongs to the value: a boolean or count is then none, at which bhyve ends with status 4, and a path names another file.`,
    fixes: [
      {
        title: 'Remove the carriage returns',
        preferred: true,
        edits: ended.slice(0, 5000).map(({ valueSpan }) => ({
          uri: config.source.uri,
          range: config.source.lines.rangeAt(valueSpan.end - 1, valueSpan.end),
          newText: '',
        })),
      },
    ],
  };
}

function blanks(config: BhyveConfig, entry: ConfigEntry): Found | null {
  const { key, keySpan, valueSpan } = entry;
  const raw = entry.raw.replace(/\r$/, '');
  if (key.trim() !== key && key.trim() !== '') {
    const leading = key.trimStart() !== key;
    const span = leading
      ? { start: keySpan.start, end: keySpan.start + key.length - key.trimStart().length }
      : { start: keySpan.end - (key.length - key.trimEnd().length), end: keySpan.end };
    return {
      at: at(config, span),
      message: `Blanks belong to the key: this sets \`${shown(key)}\` (with the blanks), which bhyve does not read, and not \`${shown(key.trim())}\`.`,
      fixes: [
        replace(
          config,
          'Remove the blanks',
          { start: keySpan.start, end: valueSpan.start + raw.length },
          `${key.trim()}=${raw.trim()}`,
          raw.trim() !== '',
        ),
      ],
    };
  }
  if (raw.trim() === '') return null;
  const value = { start: valueSpan.start, end: valueSpan.start + raw.length };
  const comment = COMMENT.exec(raw);
  if (comment && comment[1]!.trim() !== '') {
    const start = value.start + comment[1]!.length;
    return {
      at: at(config, { start, end: value.end }),
      message: `A comment stands only at the beginning of a line: here \`${shown(comment[2]!)}\` is the end of the value of \`${shown(key)}\`.`,
      fixes: [replace(config, 'Remove it', { start, end: value.end }, '')],
    };
  }
  if (raw.trim() === raw) return null;
  const side = raw.trimStart() !== raw ? 'Blanks behind the equals sign' : 'Blanks at the end of the line';
  return {
    at: at(
      config,
      raw.trimStart() !== raw
        ? { start: value.start, end: value.start + raw.length - raw.trimStart().length }
        : { start: value.end - (raw.length - raw.trimEnd().length), end: value.end },
    ),
    message: `${side} belong to the value: \`${shown(key)}\` is \`${shown(raw)}\`, with them.`,
    fixes: [replace(config, 'Remove the blanks', value, raw.trim(), true)],
  };
}
