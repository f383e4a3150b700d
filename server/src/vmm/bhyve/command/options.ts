/**
 * The options of a bhyve command, in order, as assignments to keys (bhyve_optparse; before 2023 in main). Read: freebsd-src
 * usr.sbin/bhyve bhyverun.c commit 0040b6857, amd64/bhyverun_machdep.c commit b5e57cb83 and of 2026; illumos-gate
 * usr/src/cmd/bhyve bhyverun.c of 2020, amd64/bhyverun_machdep.c commit 5c4a5fe16.
 */
import type { ConfigEntry } from '../config/flatConfig';
import type { BhyveVersion } from '../versions';
import { implied, named, positional, type Argument } from './argument';
import { deviceOptions, type DeviceOptions } from './devices';
import { lpcOptions } from './lpc';
import type { CommandProblem } from './problems';

/** What the options say so far. */
export interface OptionState {
  readonly version: BhyveVersion;
  readonly entries: ConfigEntry[];
  readonly problems: CommandProblem[];
  /** Something that is not told here may set keys. */
  complete: boolean;
  /** Nodes of -s, with their places. */
  readonly slots: Map<string, Argument>;
}

/** getopt(3) strings; with `r:` and `M`, which only some builds have. */
const OPTION_STRINGS: readonly (readonly [test: (version: BhyveVersion) => boolean, options: string])[] = [
  [({ id }) => id === 'illumos-2025', 'adehuwxACDHIPSWYk:f:o:G:c:s:m:l:B:K:U:'],
  [({ facts }) => facts.os === 'illumos' && !facts.configFile, 'abdehuwxACDHIPSWYg:G:c:s:m:l:B:K:U:'],
  [({ facts }) => facts.os === 'illumos', 'abdehuwxACDHIPSWYk:o:g:G:c:s:m:l:B:K:U:f:'],
  [({ id }) => id === 'freebsd-13', 'abehuwxACDHIPSWYk:f:o:p:g:G:c:s:m:l:K:U:r:'],
  [({ id }) => id === 'freebsd-14', 'aehuwxACDHIPSWYk:f:o:p:G:c:s:m:l:K:U:r:'],
  [() => true, 'aehuwxACDHIMPSWYk:f:o:p:G:c:s:m:n:l:K:U:r:'],
];

/** Whether the letter is an option, and one with an argument. */
export function optionKind(letter: string, version: BhyveVersion): 'flag' | 'argument' | null {
  const string = OPTION_STRINGS.find(([test]) => test(version))![1];
  const at = letter === ':' ? -1 : string.indexOf(letter);
  if (at < 0) return null;
  return string[at + 1] === ':' ? 'argument' : 'flag';
}

const FLAGS: Readonly<Record<string, readonly [key: string, value: string]>> = {
  a: ['x86.x2apic', 'false'],
  A: ['acpi_tables', 'true'],
  C: ['memory.guest_in_core', 'true'],
  d: ['suspend_at_boot', 'true'],
  D: ['destroy_on_poweroff', 'true'],
  e: ['x86.strictio', 'true'],
  H: ['x86.vmexit_on_hlt', 'true'],
  M: ['monitor', 'true'],
  P: ['x86.vmexit_on_pause', 'true'],
  S: ['memory.wired', 'true'],
  u: ['rtc.use_localtime', 'false'],
  w: ['x86.strictmsr', 'false'],
  W: ['virtio_msix', 'false'],
  x: ['x86.x2apic', 'true'],
  Y: ['x86.mptable', 'false'],
};

const NO_OPS: Readonly<Record<string, string>> = {
  A: '`-A` does nothing any more: FreeBSD 15 writes ACPI tables unless `acpi_tables` is off.',
  I: '`-I` does nothing any more: every VM has an I/O APIC.',
};

/** `option` is the letter with the dash, where that is a word of its own. */
export function applyFlag(state: OptionState, letter: string, option: Argument, alone: boolean): void {
  const { version } = state;
  const span = option.span;
  const noOp = letter === 'I' || (letter === 'A' && version.id === 'freebsd-15') ? NO_OPS[letter] : undefined;
  if (noOp !== undefined) {
    state.problems.push({
      code: 'bhyve-command-no-op',
      ...span,
      message: noOp,
      ...(alone ? { remove: span } : {}),
    });
    return;
  }
  const flag = FLAGS[letter];
  if (flag) state.entries.push(implied(flag[0], flag[1], span));
}

export function applyArgument(state: OptionState, letter: string, argument: Argument): void {
  if (argument.text.includes('${…}') && !'ms'.includes(letter)) state.complete = false;
  APPLY[letter]?.(state, argument);
}

type Apply = (state: OptionState, argument: Argument) => void;

const set =
  (key: string): Apply =>
  (state, argument) =>
    state.entries.push(positional(key, argument));

const APPLY: Readonly<Record<string, Apply>> = {
  c: topology,
  G: debugServer,
  k: (state) => (state.complete = false),
  K: set('keyboard.layout'),
  l: (state, argument) => take(state, lpcOptions(argument, state.version), 'bhyve-command-argument'),
  m: set('memory.size'),
  n: numaDomain,
  o: setting,
  p: pin,
  r: (state) => (state.complete = false),
  s: slot,
  U: set('uuid'),
};

function refuse(
  state: OptionState,
  at: Argument,
  message: string,
  code: CommandProblem['code'] = 'bhyve-command-argument',
) {
  state.problems.push({ code, ...at.span, message });
}

function take(state: OptionState, { entries, problem }: DeviceOptions, code: CommandProblem['code']): void {
  for (const entry of entries) {
    // The name of the key is not told: it may be any.
    if (entry.key.includes('$')) state.complete = false;
    else state.entries.push(entry);
  }
  if (problem) refuse(state, problem.at, problem.message, code);
}

/** topology_parse: a number, or `name=number`, with commas. */
function topology(state: OptionState, argument: Argument): void {
  if (argument.text === '') {
    for (const key of ['sockets', 'cores', 'threads', 'cpus'])
      state.entries.push(implied(key, '1', argument.span));
    return;
  }
  for (const part of argument.split()) {
    const [name, value] = part.cut('=');
    if (!value) state.entries.push(positional('cpus', part));
    else if (['cpus', 'sockets', 'cores', 'threads'].includes(name.text))
      state.entries.push(named('', name, value));
    else if (name.open) state.complete = false;
    else {
      refuse(
        state,
        part,
        `\`-c\` takes a number and \`cpus=\`, \`sockets=\`, \`cores=\` and \`threads=\`: bhyve says "invalid cpu topology" and ends with status 64.`,
      );
    }
  }
}

/** parse_gdb_options: `[w][ADDRESS:]PORT`. */
function debugServer(state: OptionState, argument: Argument): void {
  let rest = argument;
  if (rest.text.startsWith('w')) {
    state.entries.push(implied('gdb.wait', 'true', rest.slice(0, 1).span));
    rest = rest.slice(1);
  }
  const colon = rest.text.lastIndexOf(':');
  if (colon >= 0) state.entries.push(positional('gdb.address', rest.slice(0, colon)));
  state.entries.push(positional('gdb.port', rest.slice(colon + 1)));
}

/** bhyve_numa_parse; what it does not know it passes over. */
function numaDomain(state: OptionState, argument: Argument): void {
  const parts = new Map(
    argument.split().flatMap((part) => {
      const [name, value] = part.cut('=');
      return value ? [[name.text, { name, value }] as const] : [];
    }),
  );
  const id = parts.get('id')?.value;
  if (!id) {
    refuse(
      state,
      argument,
      '`-n` needs the number of the domain, `id=0`: bhyve says "Missing NUMA domain ID" and ends with status 64.',
    );
    return;
  }
  if (id.open) state.complete = false;
  else {
    for (const key of ['size', 'domain_policy', 'cpus']) {
      const found = parts.get(key);
      if (found) state.entries.push({ ...positional(`domains.${Number(id.text)}.${key}`, found.value) });
    }
  }
}

/** bhyve_parse_config_option. */
function setting(state: OptionState, argument: Argument): void {
  const [key, value] = argument.cut('=');
  if (key.open) state.complete = false;
  else if (value && value.text !== '') state.entries.push(named('', key, value));
  else if (!argument.open) {
    refuse(
      state,
      argument,
      '`-o` takes `key=value`, and no empty value: bhyve says "invalid configuration option" and ends with status 64.',
    );
  }
}

/** pincpu_parse: each one adds to the CPUs of the vCPU. */
function pin(state: OptionState, argument: Argument): void {
  const found = /^\s*([+-]?\d{1,9}):\s*([+-]?\d{1,9})/.exec(argument.text);
  if (!found || Number(found[1]) < 0 || Number(found[2]) < 0) {
    if (argument.open) state.complete = false;
    else
      refuse(
        state,
        argument,
        '`-p` takes `VCPU:HOSTCPU`: bhyve says "invalid vcpu pinning configuration" and ends with status 64.',
      );
    return;
  }
  const key = `vcpu.${Number(found[1])}.cpuset`;
  const at = state.entries.findIndex((entry) => entry.key === key);
  const before = at < 0 ? '' : `${state.entries.splice(at, 1)[0]!.raw},`;
  state.entries.push(implied(key, before + String(Number(found[2])), argument.span));
}

/** pci_parse_slot: `[BUS:]SLOT[:FUNCTION],DEVICE[,CONFIG]` by sscanf, which passes over what follows a number. */
function slot(state: OptionState, argument: Argument): void {
  if (argument.text !== '' && 'help'.startsWith(argument.text)) return;
  const [place, rest] = argument.cut(',');
  if (!rest) {
    if (argument.open) state.complete = false;
    else
      refuse(
        state,
        argument,
        '`-s` takes `SLOT,DEVICE`: bhyve says "Invalid PCI slot info field" and ends with status 4.',
        'bhyve-command-slot',
      );
    return;
  }
  if (place.open) {
    state.complete = false;
    return;
  }
  const node = nodeOf(place.text);
  if (node === null) {
    refuse(
      state,
      place,
      `\`${place.text.slice(0, 40)}\` is no place on a PCI bus, which is \`SLOT\`, \`SLOT:FUNCTION\` or \`BUS:SLOT:FUNCTION\` with slots from 0 to 31 and functions from 0 to 7: bhyve says "Invalid PCI slot info field" and ends with status 4.`,
      'bhyve-command-slot',
    );
    return;
  }
  const before = state.slots.get(node);
  if (before) {
    const { start, end } = before.span;
    state.problems.push({
      code: 'bhyve-command-slot',
      ...place.span,
      message: `There is a device at ${node.slice(4).replaceAll('.', ':')} already: bhyve says "already occupied!" and ends with status 4.`,
      other: { start, end, message: 'The one that is there' },
    });
    return;
  }
  state.slots.set(node, place);
  const [device, config] = rest.cut(',');
  take(state, deviceOptions(node, device, config), 'bhyve-command-slot');
}

function nodeOf(place: string): string | null {
  const numbers = /^\s*([+-]?\d{1,9})(?::\s*([+-]?\d{1,9})(?::\s*([+-]?\d{1,9}))?)?/.exec(place);
  if (!numbers) return null;
  const given = numbers.slice(1).flatMap((each) => (each === undefined ? [] : Number(each)));
  const [bus, slotNumber, fn] = given.length === 3 ? given : [0, given[0]!, given[1] ?? 0];
  const fits = bus! >= 0 && bus! <= 255 && slotNumber! >= 0 && slotNumber! <= 31 && fn! >= 0 && fn! <= 7;
  return fits ? `pci.${bus!}.${slotNumber!}.${fn!}` : null;
}
