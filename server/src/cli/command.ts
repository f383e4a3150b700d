/** What a command of the command line is, and how it reports bad usage. */
import type { Service } from '../service';

/** Ends the command with exit code 2: bad usage or unreadable input. */
export class UsageError extends Error {}

/** Option values by name: repeatable ones are lists. */
export interface Options {
  readonly values: Readonly<Record<string, string | boolean | readonly string[] | undefined>>;
  readonly arguments: readonly string[];
}

/** The outside as a command sees it. */
export interface Terminal {
  /** The result. */
  readonly out: (text: string) => void;
  /** Progress and errors. */
  readonly note: (text: string) => void;
  readonly service: Service;
}

export interface Command {
  readonly name: string;
  readonly usage: string;
  readonly summary: string;
  readonly formats: readonly string[];
  readonly options: Readonly<
    Record<
      string,
      { readonly type: 'string' | 'boolean'; readonly multiple?: boolean; readonly help: string }
    >
  >;
  /** Returns the exit code: 0 clean, 1 findings or a missed expectation. Throws UsageError for 2. */
  run(options: Options, terminal: Terminal): Promise<number>;
}

export function stringOption(options: Options, name: string): string | undefined {
  const value = options.values[name];
  return typeof value === 'string' ? value : undefined;
}

export function listOption(options: Options, name: string): readonly string[] {
  const value = options.values[name];
  return Array.isArray(value) ? (value as readonly string[]) : [];
}

/** A non-negative integer, decimal or hex with 0x; UsageError otherwise. */
export function numberOption(options: Options, name: string): number | undefined {
  const text = stringOption(options, name);
  if (text === undefined) return undefined;
  return wholeNumber(text, `--${name}`);
}

export function wholeNumber(text: string, what: string): number {
  if (!/^(0x[0-9a-f]+|\d+)$/i.test(text)) throw new UsageError(`${what} takes a whole number, not "${text}"`);
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new UsageError(`${what}: ${text} is too large`);
  return value;
}

export function json(value: unknown): string {
  return JSON.stringify(value, null, 2) + '\n';
}
