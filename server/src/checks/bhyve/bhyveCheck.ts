/** How a rule on bhyve's configs is made: a row of the table and a function on one guest's keys, wherever they come from. */
import { bhyveConfigsOf, type BhyveConfig } from '../../vmm/bhyve/config/config';
import type { ConfigEntry } from '../../vmm/bhyve/config/flatConfig';
import type { Fix, Severity } from '../../text/finding';
import type { Check, Found } from '../check';
import { replace } from '../places';

export function bhyveCheck(
  row: { readonly code: string; readonly severity: Severity; readonly title: string },
  run: (config: BhyveConfig) => Iterable<Found>,
): Check {
  return {
    ...row,
    on: ['bhyve-config', 'bhyve-command'],
    *run(document) {
      for (const config of bhyveConfigsOf(document)) yield* run(config);
    },
  };
}

/** Fixes of a value, where it is written as it is read. */
export function replaceValue(
  config: BhyveConfig,
  entry: ConfigEntry,
  newText: string,
  preferred = false,
): Fix[] {
  const { start, end } = entry.valueSpan;
  if (config.source.text.slice(start, end) !== entry.raw) return [];
  return [replace(config, `Change to ${newText}`, entry.valueSpan, newText, preferred)];
}

/** Fixes of a key, where it is written. */
export function replaceKey(
  config: BhyveConfig,
  entry: ConfigEntry,
  newKey: string,
  preferred = false,
): Fix[] {
  if (entry.implied) return [];
  const { start, end } = entry.keySpan;
  const written = config.source.text.slice(start, end);
  // Of an option of -s only the last part of its key stands there.
  const before = entry.key.slice(0, entry.key.length - written.length);
  if (before + written !== entry.key || written === '' || !newKey.startsWith(before)) return [];
  const text = newKey.slice(before.length);
  return [replace(config, `Change to ${text}`, entry.keySpan, text, preferred)];
}

/** Takes the line of a config file away. */
export function removeLine(config: BhyveConfig, entry: ConfigEntry, title: string): Fix[] {
  if (config.form !== 'file') return [];
  const { text } = config.source;
  const feed = text.indexOf('\n', entry.keySpan.start);
  const end = feed < 0 ? text.length : feed + 1;
  return [replace(config, title, { start: entry.keySpan.start, end }, '')];
}

/** Puts a line before the one of an entry. */
export function insertLine(config: BhyveConfig, before: ConfigEntry, line: string): Fix[] {
  if (config.form !== 'file') return [];
  const { start } = before.keySpan;
  return [replace(config, `Add ${line}`, { start, end: start }, `${line}\n`)];
}

/** `a, b and c`. */
export function list(words: readonly string[], last = 'and'): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} ${last} ${words.at(-1)!}`;
}
