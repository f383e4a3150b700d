/** What the lines around a port write say: how the VMM ended, which VMM it is, which command line the guest had. */
import type { DumpLine, DumpText } from '../dumpText';

/** Something that one line says. */
export interface Said<T> {
  readonly value: T;
  readonly line: DumpLine;
}

export interface Surroundings {
  readonly exitStatus: Said<number> | null;
  readonly vmm: Said<string> | null;
  readonly commandLine: Said<string> | null;
}

/** A pass over the whole text, so only for one in which a reset was found. */
export function readSurroundings(text: DumpText): Surroundings {
  let exitStatus: Said<number> | null = null;
  let vmm: Said<string> | null = null;
  let commandLine: Said<string> | null = null;
  const said = <T>(value: T | null, line: DumpLine): Said<T> | null =>
    value === null ? null : { value, line };
  for (const line of text.lines([])) {
    vmm ??= said(vmmNamedIn(line.text), line);
    commandLine ??= said(commandLineIn(line.text), line);
    // The exit comes after the write that led to it: the last one.
    exitStatus = said(exitStatusIn(line.text), line) ?? exitStatus;
  }
  return { exitStatus, vmm, commandLine };
}

/** `exit code 0`, `exited with status: 1`, `_exit(0)`, `Exited (0)`. */
const EXIT = /\b_?exit(?:ed)?(?: with)?(?: (?:code|status))?(?: ?[:=] ?| | ?\()(\d{1,3})\b/i;

function exitStatusIn(line: string): number | null {
  const match = EXIT.exec(line.slice(0, 500));
  return match ? Number(match[1]) : null;
}

/** The VMM that a log names, by the model's folder. */
const NAMES: readonly (readonly [RegExp, string])[] = [
  [/\b(?:libkrun(?:fw)?|boxlite|krunvm|krunkit)\b/i, 'libkrun'],
  [/\bfirecracker\b/i, 'firecracker'],
  [/\bcloud-hypervisor\b/i, 'cloud-hypervisor'],
  [/\bqemu(?:-system-x86_64|-kvm)?\b/i, 'pc'],
  [/\bbhyve\b/i, 'bhyve'],
  [/\bpropolis\b/i, 'propolis'],
];

function vmmNamedIn(line: string): string | null {
  const text = line.slice(0, 500);
  return NAMES.find(([pattern]) => pattern.test(text))?.[1] ?? null;
}

/** A kernel command line in a log: two parameters that matter here, whatever stands around them. */
const PARAMETERS = /\b(?:reboot|panic|console|earlyprintk|earlycon)=[^\s"',\]]{1,64}/g;

/** The kernel's parameters in a line; null where it is no command line. */
function commandLineIn(line: string): string | null {
  if (!line.includes('=')) return null;
  const found = line.slice(0, 4096).match(PARAMETERS);
  if (!found || found.length < 2) return null;
  const flags = line.match(/\b(?:earlyprintk|earlycon)\b(?!=)/g) ?? [];
  return [...found, ...flags].join(' ');
}
