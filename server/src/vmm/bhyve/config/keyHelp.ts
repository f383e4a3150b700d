/** Hover and completion of a flat config, from the table of keys. */
import type { Description, Document, Suggestion } from '../../../machine/language';
import type { Position } from '../../../text/position';
import { DEVICES, deviceRow } from '../keys/devices';
import { GLOBAL_KEYS } from '../keys/globalKeys';
import { isIn, type KeyRow } from '../keys/keyRow';
import { lookUp } from '../keys/lookup';
import { bhyveConfigsOf, type BhyveConfig } from './config';

const BOOLEANS = ['true', 'false'];
const DEVICE_KEY = /^(pci\.\d+\.\d+\.\d+)\.([^=]*)$/;

/** What the key, or the device, of a line does. */
export function describeKey(document: Document, position: Position): Description | null {
  const config = bhyveConfigsOf(document)[0];
  if (!config) return null;
  const offset = config.source.lines.offsetAt(position);
  const entry = config.entries.find(
    ({ keySpan, valueSpan }) => keySpan.start <= offset && offset <= valueSpan.end,
  );
  if (!entry) return null;
  const range = config.source.lines.rangeAt(entry.keySpan.start, entry.keySpan.end);
  const device = /^pci\.\d+\.\d+\.\d+\.device$/.test(entry.key) ? deviceRow(entry.raw) : undefined;
  if (device) return { range, markdown: `**${device.name}**: ${device.text}` };
  const match = lookUp(entry.key, config.version, deviceAt(config), false);
  if ((match.kind !== 'known' && match.kind !== 'other-version') || !match.row) return null;
  return { range, markdown: `**${match.row.key}**: ${textOf(match.row)}` };
}

/** Keys before the equals sign, words behind it. */
export function completeKey(document: Document, position: Position): Suggestion[] {
  const config = bhyveConfigsOf(document)[0];
  const { lines, text } = document.source;
  const offset = lines.offsetAt(position);
  const start = offset - position.character;
  const typed = text.slice(start, offset);
  if (!config || typed.startsWith('#') || typed.length > 200) return [];
  const equals = typed.indexOf('=');
  if (equals >= 0) {
    const range = lines.rangeAt(start + equals + 1, offset);
    return valuesOf(config, typed.slice(0, equals)).map(([label, markdown]) => ({
      label,
      detail: typed.slice(0, equals),
      markdown,
      kind: 'value',
      insert: label,
      range,
    }));
  }
  const range = lines.rangeAt(start, offset);
  return keysAt(config, typed).map(([key, row]) => ({
    label: key,
    detail: row?.default === undefined ? '' : `default ${row.default}`,
    markdown: row ? textOf(row) : 'Device at this place.',
    kind: 'keyword',
    insert: `${key}=`,
    range,
  }));
}

function keysAt(config: BhyveConfig, typed: string): [string, KeyRow | null][] {
  const known = (row: KeyRow) => isIn(row, config.version);
  const below = DEVICE_KEY.exec(typed);
  if (!below) {
    return GLOBAL_KEYS.filter(known).map((row): [string, KeyRow] => [row.key.replace('*', '0'), row]);
  }
  const device = deviceRow(deviceAt(config)(below[1]!) ?? '');
  const rows = (device?.keys ?? []).filter(known);
  return [
    [`${below[1]!}.device`, null],
    ...rows.map((row): [string, KeyRow] => [`${below[1]!}.${row.key.replace('*', '0')}`, row]),
  ];
}

function valuesOf(config: BhyveConfig, key: string): [string, string][] {
  if (/^pci\.\d+\.\d+\.\d+\.device$/.test(key)) {
    return DEVICES.filter((row) => row.alias === undefined && isIn(row, config.version)).map(
      ({ name, text }): [string, string] => [name, text],
    );
  }
  const match = lookUp(key, config.version, deviceAt(config), false);
  const row = match.kind === 'known' ? match.row : null;
  const words = row?.values ?? (row?.kind === 'boolean' ? BOOLEANS : []);
  return words.map((word) => [word, row!.text]);
}

function deviceAt({ values }: BhyveConfig): (place: string) => string | null {
  return (place) => values.get(`${place}.device`)?.value ?? null;
}

function textOf({ text, kind, default: otherwise }: KeyRow): string {
  const sort = kind === 'boolean' ? ' A boolean.' : '';
  return `${text}${sort}${otherwise === undefined ? '' : ` Default: \`${otherwise}\`.`}`;
}
