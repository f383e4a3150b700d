/** The stepper ROM of a mode, and the block of system tables that it runs on. */
import { assemble } from '../tools';
import { systemTables, TABLES_SIZE, WINDOWS, type Mode } from './stage';

/** Physical addresses that `images/stepper.asm` knows. */
export const BLOCK = 0x800000;
export const CASES = 0x1000000;
export const RESULTS = 0x2000000;
export const MEMORY = 0x4000000;
/** As many as fit between CASES and RESULTS, and behind them. */
export const MOST_CASES = 7000;

const hex = (value: number): string => `0x${value.toString(16)}`;
const built = new Map<string, Uint8Array>();

export interface RomOptions {
  /** FXSAVE and FXRSTOR around each case. */
  readonly fx?: boolean;
  /** More bits of CR4. */
  readonly cr4?: number;
}

export function stepperRom(mode: Mode, { fx = true, cr4 = 0 }: RomOptions = {}): Uint8Array {
  const paging = mode.paging !== 'none';
  const pae = mode.paging === 'PAE' || mode.paging === '4-level';
  const defines: readonly (readonly [string, string])[] = [
    ...(mode.kernel === 'long' ? ([['KERNEL_LONG', '1']] as const) : []),
    ...(mode.real === 'real' ? ([['REAL', '1']] as const) : []),
    ...(mode.real === 'virtual-8086' ? ([['V86', '1']] as const) : []),
    ...(mode.kernel === 'legacy' && mode.cpl === 0 ? ([['SAME_RING', '1']] as const) : []),
    ['PAGING', paging ? '1' : '0'],
    ['CR0_VALUE', paging ? '0x80050033' : '0x50033'],
    ['CR4_VALUE', hex(0x610 | (pae ? 0x20 : 0) | cr4)],
    ['TEST_CODE', hex(mode.code)],
    ['TEST_STACK', hex(mode.stack)],
    ['TEST_DATA', hex(mode.data)],
    ['BITS_OF_CASE', String(mode.bits)],
    ['WITH_FX', fx ? '1' : '0'],
  ];
  const source = [
    ...defines.map(([name, value]) => `%define ${name} ${value}`),
    '%macro COPY_WINDOWS 1',
    ...WINDOWS.map(({ at, size }) => `%1 ${hex(at)}, ${size}`),
    '%endmacro',
    '%include "stepper.asm"',
  ].join('\n');
  const known = built.get(source);
  if (known) return known;
  const rom = assemble(`${source}\n`);
  built.set(source, rom);
  return rom;
}

/** Count of cases, whether results go to the debug port, and the system tables. */
export function stepperBlock(mode: Mode, count: number, print: boolean): Uint8Array {
  const block = new Uint8Array(0x1000 + TABLES_SIZE);
  const view = new DataView(block.buffer);
  view.setUint32(0, count, true);
  view.setUint32(4, print ? 1 : 0, true);
  block.set(systemTables(mode), 0x1000);
  return block;
}
