/** The local APIC's interrupt command register. SDM vol. 3, 10.6.1 and table 10-6 (local xAPIC), 10.12.9 (x2APIC). */
import { hex } from '../address/format';
import {
  bit,
  bits,
  choice,
  explainFields,
  field,
  listBits,
  setFlags,
  unnamedBits,
  type BitField,
  type Explanation,
} from './bitField';

const DELIVERY_MODES = [
  'fixed',
  'lowest priority',
  'SMI',
  'reserved',
  'NMI',
  'INIT',
  'SIPI',
  'reserved',
] as const;
export const SHORTHANDS = ['no shorthand', 'self', 'all including self', 'all but self'] as const;

export interface InterruptCommand {
  readonly vector: number;
  /** Index into DELIVERY_MODES. */
  readonly mode: number;
  readonly logical: boolean;
  readonly assert: boolean;
  readonly level: boolean;
  /** Index into SHORTHANDS. */
  readonly shorthand: number;
  /** Bits 63:56 of the xAPIC's register pair; x2APIC has 63:32 (`wideDestination`). */
  readonly destination: number;
  readonly wideDestination: bigint;
}

export function decodeIcr(icr: bigint): InterruptCommand {
  return {
    vector: Number(bits(icr, 7, 0)),
    mode: Number(bits(icr, 10, 8)),
    logical: bit(icr, 11),
    assert: bit(icr, 14),
    level: bit(icr, 15),
    shorthand: Number(bits(icr, 19, 18)),
    destination: Number(bits(icr, 63, 56)),
    wideDestination: bits(icr, 63, 32),
  };
}

/** Where a SIPI starts the processor: CS = vector << 8, IP = 0 (SDM vol. 3, 8.4.4). */
export function sipiStart(vector: number): { readonly selector: number; readonly address: bigint } {
  return { selector: vector << 8, address: BigInt(vector) << 12n };
}

const FIELDS: readonly BitField[] = [
  field(7, 0, 'vector', (value) => `vector ${value}`),
  field(10, 8, 'delivery mode', (value) => DELIVERY_MODES[Number(value)]!),
  choice(11, 'logical', 'physical destination', 'logical destination'),
  choice(12, 'pending', 'idle', 'send pending (read only)'),
  choice(14, 'assert', 'level de-assert', 'level assert'),
  choice(15, 'level', 'edge triggered', 'level triggered'),
  field(19, 18, 'shorthand', (value) => SHORTHANDS[Number(value)]!),
  field(63, 32, 'destination', (value) => `xAPIC: APIC ID ${value >> 24n}; x2APIC: APIC ID ${value}`),
];

/** Rules of table 10-6 and of the field descriptions, by the text of the manual. */
function icrProblems(icr: bigint, command: InterruptCommand): string[] {
  const { vector, mode, shorthand, level, assert } = command;
  const name = DELIVERY_MODES[mode]!;
  const problems: string[] = [];
  if (name === 'reserved') problems.push(`Delivery mode ${mode} is reserved.`);
  if ((shorthand === 1 || shorthand === 2) && mode !== 0)
    problems.push(
      `Shorthand "${SHORTHANDS[shorthand]}" is valid with delivery mode fixed only, not with ${name}.`,
    );
  if (mode === 5 && level && !assert)
    problems.push('INIT level de-assert is not supported since Pentium 4 and Xeon.');
  else if (level)
    problems.push(
      'Trigger mode level is not valid here: the local APIC sends the interrupt as edge triggered.',
    );
  if (!assert && !(mode === 5 && level))
    problems.push('Level must be 1 (assert) for everything but INIT level de-assert.');
  if (mode <= 1 && vector < 16)
    problems.push(`Vector ${vector} is illegal: vectors 0 to 15 give a send-illegal-vector error.`);
  if ((mode === 5 || mode === 2) && vector !== 0)
    problems.push(`${name} wants vector 0, not ${hex(vector)}.`);
  const reserved = unnamedBits(icr, FIELDS, 32);
  if (reserved.length > 0)
    problems.push(
      `${listBits(reserved).replace(/^b/, 'B')} ${reserved.length === 1 ? 'is' : 'are'} reserved, but set.`,
    );
  return problems;
}

/** `icr` is the 64-bit register; an xAPIC's pair is (ICR2 << 32) | ICR. */
export function explainIcr(icr: bigint): Explanation {
  const command = decodeIcr(icr);
  const { vector, mode, shorthand, assert, level, logical } = command;
  const words = [DELIVERY_MODES[mode]!];
  const parts: string[] = [
    mode === 6 ? `SIPI vector ${vector} (starts at ${hex(sipiStart(vector).address)})` : words[0]!,
  ];
  if (mode === 0 || mode === 1) parts.push(`vector ${hex(vector)}`);
  parts.push(level ? `level ${assert ? 'assert' : 'de-assert'}` : assert ? 'assert' : 'de-assert');
  if (shorthand !== 0) parts.push(SHORTHANDS[shorthand]!);
  else
    parts.push(
      `${logical ? 'logical' : 'physical'} destination ${hex(command.destination !== 0 ? command.destination : command.wideDestination)}`,
    );
  return {
    kind: 'icr',
    value: hex(icr),
    summary: parts.join(' · '),
    fields: explainFields(icr, FIELDS),
    set: setFlags(icr, FIELDS),
    problems: icrProblems(icr, command),
  };
}
