/** One register set with everything that its rules may look at. */
import { bit } from '../../x86/bitField';
import type { CrashFacts } from '../crashFacts';
import { candidatesOf, type DumpContext } from '../dumpFormat';
import type { ModeReading, RegisterBlock } from '../registerBlock';
import type { CodeSize } from './lines';
import type { RegisterSet } from './scanner';

export interface RegisterFacts extends CrashFacts {
  readonly block: RegisterBlock;
  /** CS.L and CS.D, by the attributes or in words; null where the text does not tell. */
  readonly codeSize: CodeSize | null;
}

export function registerFacts(set: RegisterSet, context: DumpContext): RegisterFacts {
  const codeSize = codeSizeOf(set);
  return {
    text: context.text,
    block: set.block,
    codeSize,
    mode: readMode(set.block, codeSize),
    candidates: candidatesOf(context, null),
  };
}

const CS_L = 0x2000;
const CS_D = 0x4000;

function codeSizeOf({ block, codeSize }: RegisterSet): CodeSize | null {
  const attributes = block.segments.get('cs')?.attributes;
  if (attributes === undefined || attributes === null) return codeSize;
  return { long: (attributes & CS_L) !== 0, wide: (attributes & CS_D) !== 0 };
}

/** The mode that the values make (SDM vol. 3, 2.2 and 3.4.5), or why they do not tell. */
function readMode({ values }: RegisterBlock, codeSize: CodeSize | null): ModeReading {
  const cr0 = values.get('cr0')!;
  if (!bit(cr0, 0)) return { mode: 'real', reason: 'CR0.PE is 0' };
  const efer = values.get('efer');
  const active = efer === undefined ? inferredLma(values, codeSize) : bit(efer, 10);
  if (active === null) {
    return { mode: null, reason: 'EFER is not in the text, and nothing else tells whether LMA is 1' };
  }
  if (active) {
    if (!codeSize)
      return { mode: null, reason: 'LMA is 1, and the text does not tell CS.L: selectors do not' };
    return codeSize.long
      ? { mode: 'long', reason: 'LMA is 1 and CS.L is 1' }
      : { mode: 'compatibility', reason: 'LMA is 1 and CS.L is 0' };
  }
  if (bit(values.get('rflags') ?? 0n, 17)) return { mode: 'v86', reason: 'LMA is 0 and RFLAGS.VM is 1' };
  if (!codeSize || codeSize.wide === null) {
    return { mode: null, reason: 'protected mode; the text does not tell CS.D' };
  }
  return codeSize.wide
    ? { mode: 'protected-32', reason: 'PE is 1, LMA is 0 and CS.D is 1' }
    : { mode: 'protected-16', reason: 'PE is 1, LMA is 0 and CS.D is 0' };
}

/** LMA needs PG and PAE; a code segment with L set exists in IA-32e mode only. */
function inferredLma(values: ReadonlyMap<string, bigint>, codeSize: CodeSize | null): boolean | null {
  const cr4 = values.get('cr4');
  if (!bit(values.get('cr0')!, 31) || (cr4 !== undefined && !bit(cr4, 5))) return false;
  return codeSize?.long ? true : null;
}
