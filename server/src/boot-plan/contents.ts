/** What a plan puts into memory besides tables, and what its VMM boots. */
import { ADDRESS_SPACE_END } from '../address/range';
import type { ObjectNode } from '../text/shape/node';
import {
  LOAD_KINDS,
  type LoadKind,
  type PlannedBoot,
  type PlannedCapture,
  type PlannedLinux,
  type PlannedLoad,
} from './plan';
import type { PlanReader, Read } from './reader';

const CONTENTS = ['file', 'bytes', 'text'] as const;
const PLACED: ReadonlySet<LoadKind> = new Set(['flat', 'initrd', 'command-line']);

export function readLoads(reader: PlanReader, root: ObjectNode): PlannedLoad[] {
  return reader.tables(root, 'load').flatMap((node) => {
    const kind = reader.word(node, 'kind', LOAD_KINDS);
    if (!kind) return [];
    const content = contentOf(reader, node, kind);
    const address = kind === 'elf' ? null : reader.number(node, 'at');
    if (!content || (PLACED.has(kind) && !address)) return [];
    if (
      address &&
      content.kind === 'bytes' &&
      address.value + BigInt(content.bytes.length) > ADDRESS_SPACE_END
    ) {
      reader.problem(
        'boot-plan-load',
        address.node,
        `The ${content.bytes.length} bytes end beyond the 64-bit address space.`,
      );
      return [];
    }
    return [{ kind, content, address: written(address), at: reader.at(node) }];
  });
}

function contentOf(reader: PlanReader, node: ObjectNode, kind: LoadKind): PlannedLoad['content'] | null {
  const found = CONTENTS.flatMap((key) => reader.member(node, key) ?? []);
  const [first, second] = found;
  if (!first) {
    const opening = { start: node.start, end: Math.min(node.start + 1, node.end) };
    const list = kind === 'elf' || kind === 'bzimage' ? 'a `file`' : 'a `file`, `bytes` or a `text`';
    reader.problem('boot-plan-load', opening, `This load has nothing to load: it needs ${list}.`);
    return null;
  }
  if (second) {
    reader.problem(
      'boot-plan-load',
      second.key,
      `\`${first.key.text}\` and \`${second.key.text}\` both say what is loaded, and only one of them can be.`,
      { related: [{ at: reader.at(first.key), message: 'The other one is here.' }] },
    );
    return null;
  }
  const text = reader.text(node, first.key.text);
  if (!text) return null;
  switch (first.key.text) {
    case 'file':
      return named(reader, text) ? { kind: 'file', path: { value: text.value, at: text.at } } : null;
    case 'bytes': {
      const digits = text.value.replace(/\s+/g, '');
      // What is no pair of digits is told by the table of keys.
      if (digits.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(digits)) return null;
      return {
        kind: 'bytes',
        bytes: Uint8Array.from(digits.match(/../g) ?? [], (pair) => parseInt(pair, 16)),
      };
    }
    default: {
      const bytes = new TextEncoder().encode(text.value);
      return {
        kind: 'bytes',
        bytes: kind === 'command-line' ? Uint8Array.of(...bytes, 0) : bytes,
      };
    }
  }
}

function named(reader: PlanReader, path: Read<string>): boolean {
  if (path.value !== '' && !path.value.includes('\0')) return true;
  reader.problem('boot-plan-load', path.node, 'The path of a file is empty or has a zero byte.');
  return false;
}

function written<T>(read: Read<T> | null): { value: T; at: Read<T>['at'] } | null {
  return read && { value: read.value, at: read.at };
}

function path(reader: PlanReader, table: ObjectNode, key: string) {
  const text = reader.text(table, key);
  return text && named(reader, text) ? written(text) : null;
}

export function readBoot(reader: PlanReader, root: ObjectNode): PlannedBoot | null {
  const table = reader.table(root, 'boot');
  if (!table) return null;
  return {
    kernel: path(reader, table, 'kernel'),
    firmware: path(reader, table, 'firmware'),
    initrd: path(reader, table, 'initrd'),
    commandLine: written(reader.text(table, 'command-line')),
    probe: written(reader.text(table, 'probe')),
    at: reader.at(table),
  };
}

export function readLinux(reader: PlanReader, root: ObjectNode): PlannedLinux | null {
  const table = reader.table(root, 'linux');
  const bootParameters = reader.number(table, 'boot-params');
  return table && bootParameters ? { bootParameters: written(bootParameters)!, at: reader.at(table) } : null;
}

export function readCaptured(reader: PlanReader, root: ObjectNode): PlannedCapture | null {
  const table = reader.table(root, 'captured');
  if (!table) return null;
  const core = path(reader, table, 'core');
  const registers = path(reader, table, 'registers');
  return core || registers ? { core, registers, at: reader.at(table) } : null;
}
