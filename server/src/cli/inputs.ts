/** Reads the files that a command names: texts with their includes, and image bytes. `-` is standard input. */
import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { readTextSync } from '../hostFiles';
import { shownMachines, type Document, type Language, type VmmChoice } from '../machine/language';
import type { Machine } from '../machine/machine';
import type { ReportStyle } from '../output/reportStyle';
import type { Service } from '../service';
import { decodeText } from '../text/decodeText';
import { SourceText } from '../text/sourceText';
import { UsageError } from './command';

const STDIN_URI = 'stdin:/-';
/** Includes may nest this deep, as in vmd. */
const INCLUDE_DEPTH = 16;
const LARGEST_TEXT = 64 * 1024 * 1024;
/** Of a pipe or a device, in bytes: more than any image or log. */
const LONGEST_STREAM = 1024 * 1024 * 1024;
const PIECE = 1 << 20;
const POLL_MS = 5;

export function uriOf(file: string): string {
  return file === '-' ? STDIN_URI : pathToFileURL(resolve(file)).href;
}

/** Paths relative to the working folder where that is shorter, `-` for standard input. */
export function pathOf(uri: string): string {
  if (uri === STDIN_URI) return '-';
  if (!uri.startsWith('file:')) return uri;
  const path = fileURLToPath(uri);
  const near = relative(process.cwd(), path);
  return near && !near.startsWith('..') ? near : path;
}

export function readBytes(file: string): Uint8Array {
  const descriptor = orReason(file, () => (file === '-' ? 0 : openSync(file, 'r')));
  try {
    return orReason(file, () =>
      fstatSync(descriptor).isFile() ? readFileSync(descriptor) : readStream(descriptor),
    );
  } finally {
    if (descriptor !== 0) closeSync(descriptor);
  }
}

/** Pipes and devices, some of which have no end. */
function readStream(descriptor: number): Uint8Array {
  const pieces: Uint8Array[] = [];
  let total = 0;
  for (;;) {
    const piece = Buffer.allocUnsafe(PIECE);
    const length = readPiece(descriptor, piece);
    if (length === 0) return Buffer.concat(pieces);
    total += length;
    if (total > LONGEST_STREAM) throw new Error(`it goes on after ${LONGEST_STREAM} bytes`);
    pieces.push(piece.subarray(0, length));
  }
}

/** Of a pipe whose writer has nothing yet, Node says EAGAIN where it is standard input. */
function readPiece(descriptor: number, piece: Buffer): number {
  for (;;) {
    try {
      return readSync(descriptor, piece);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EOF') return 0;
      if (code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, POLL_MS);
    }
  }
}

/** What `read` gives; UsageError with the reason where the file cannot be read. */
export function orReason<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new UsageError(`${file}: ${reasonOf(error)}`);
  }
}

export function readSource(file: string): SourceText {
  return sourceOf(file, readBytes(file));
}

/** UsageError for what is too long to be a text. */
export function sourceOf(file: string, bytes: Uint8Array): SourceText {
  if (bytes.length > LARGEST_TEXT) {
    throw new UsageError(
      `${file}: no known image, and its ${bytes.length} bytes are more than the 64 MiB of the longest text that is read`,
    );
  }
  return new SourceText(uriOf(file), decodeText(bytes));
}

function reasonOf(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  const words: Record<string, string> = {
    ENOENT: 'there is no such file',
    EISDIR: 'is a folder',
    EACCES: 'may not be read',
  };
  return (code && words[code]) ?? String((error as Error).message);
}

/** `VMM` or `VMM@VERSION`; a VMM or version that we do not know is bad usage. */
export function choiceOf(service: Service, text: string | undefined, option = '--as'): VmmChoice | undefined {
  if (text === undefined) return undefined;
  const [vmm = '', ...rest] = text.split('@');
  const version = rest.length > 0 ? rest.join('@') : undefined;
  const versions = service.versions(vmm);
  if (versions.length === 0) {
    throw new UsageError(`${option} ${text}: there is no model of "${vmm}" (bootpath versions lists them)`);
  }
  if (version === undefined) return { vmm, version: versions.at(-1)!.id };
  if (!versions.some(({ id }) => id === version)) {
    throw new UsageError(
      `${option} ${text}: ${vmm} has the versions ${versions.map(({ id }) => id).join(', ')}`,
    );
  }
  return { vmm, version };
}

/** Parses a file with its includes, for the VMM that is asked for; null where no language recognises it. */
export function openDocument(service: Service, file: string, choice?: VmmChoice): Document | null {
  return parseSource(service, readSource(file), choice);
}

export function parseSource(service: Service, source: SourceText, choice?: VmmChoice): Document | null {
  const language = service.claim('', source.text, source.uri);
  return language && parseAs(service, language, source, choice);
}

/** Parses a text with the files that it includes or names. */
export function parseAs(
  service: Service,
  language: Language,
  source: SourceText,
  choice?: VmmChoice,
): Document {
  const files = new Map<string, string>();
  const missing = new Set<string>();
  const context = { files, ...(choice ? { choice } : {}) };
  let document = service.parse(language, source, context);
  for (let depth = 0; depth < INCLUDE_DEPTH; depth++) {
    const wanted = document.wanted.filter((uri) => !files.has(uri) && !missing.has(uri));
    if (wanted.length === 0) break;
    for (const uri of wanted) {
      const text = readTextSync(uri);
      if (text === null) missing.add(uri);
      else files.set(uri, text);
    }
    document = service.parse(language, source, context);
  }
  return document;
}

/** What to say of a text without machines: the first error, where that is why. */
export function noMachine({ problems }: Document, file: string): string {
  const error = problems.find(({ severity }) => severity === 'error');
  const line = error?.at ? `:${error.at.range.start.line + 1}` : '';
  return `${file} describes no machine${error ? `\n${file}${line}: ${error.message}` : ''}`;
}

/** The machine that `--vm` names, else the only or first one. */
export function pickMachine(document: Document, name: string | undefined, file: string): Machine {
  const machines = shownMachines(document);
  if (machines.length === 0) throw new UsageError(noMachine(document, file));
  if (name === undefined) return machines[0]!;
  const machine = machines.find((candidate) => candidate.name === name);
  if (!machine) {
    throw new UsageError(
      `${file} has no machine "${name}" (it has ${machines.map((m) => m.name).join(', ')})`,
    );
  }
  return machine;
}

/** Reports for a terminal: as wide as it is, within reason, and 100 columns where the output is none. */
export function terminalStyle(): ReportStyle {
  return { pathOf, width: Math.min(process.stdout.columns ?? 100, 120) };
}
