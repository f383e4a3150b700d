/**
 * R16b: what would happen if this guest set CR4.PAE where it stands. A prediction about a register set, no cause
 * of a crash. Intel: SDM vol. 3A, 4.4.1. AMD: APM vol. 2, "Legacy PAE Mode" under nested paging, where PDPEs are read on a walk.
 */
import { hex } from '../../../address/format';
import { bit, listBits } from '../../../x86/bitField';
import { flat32 } from '../../../vmm/vmd/bootState';
import { linesOf, type CrashRule, type RuleFinding } from '../../crashFacts';
import type { RegisterFacts } from '../facts';
import { readVmdEntry } from '../vmdEntry';

/** vmd's directory: entry n maps 4 MiB at n * 4 MiB with PS, US, RW and P (loadfile_elf.c). A pair of them is one PDPTE. */
function pairAsPdpte(index: bigint): bigint {
  const entry = (n: bigint): bigint => (n << 22n) | 0x87n;
  return (entry(2n * index + 1n) << 32n) | entry(2n * index);
}

function setBits(value: bigint): number[] {
  return Array.from({ length: 64 }, (_, index) => index).filter((index) => bit(value, index));
}

const FIRST_PAIR = pairAsPdpte(0n);
/** Bits 2:1 and 8:5 of a PDPTE (SDM vol. 3, table 4-8), and what lies above every physical width. */
const RESERVED = 0x1e6n | (0xfffn << 52n);

export const paeTransition: CrashRule<RegisterFacts> = {
  id: 'R16b',
  code: 'pae-change-while-paging',
  title: 'Setting CR4.PAE with paging on would fault here',
  confidence: 'possible',
  check(facts): readonly RuleFinding[] {
    if (readVmdEntry(facts)?.kind !== 'flat32') return [];
    const where = `If an amd64 kernel set CR4.PAE in this state (CR0.PG is 1, CR3 ${hex(flat32(0n, 0n).cr3)} points to a 32-bit page directory)`;
    const first = `vmd’s first two directory entries, read as one, are ${hex(FIRST_PAIR)}: present, with reserved ${listBits(setBits(FIRST_PAIR & RESERVED))} set`;
    const end =
      'vmd starts it with IDTR base 0, where no gate is: a triple fault, which vmd takes as a silent restart.';
    const common = {
      severity: 'information' as const,
      evidence: 'counterfactual' as const,
      cause: null,
      lines: linesOf(facts, 'cr0', 'cr4', 'cr3', 'efer'),
    };
    return [
      {
        ...common,
        message: `${where}, an Intel CPU would load the four PDPTEs at the MOV to CR4 and raise #GP(0) there: ${first}. ${end}`,
      },
      {
        ...common,
        message: `${where}, an AMD CPU under nested paging would not check the PDPTEs at the MOV: the next walk would raise #PF with RSVD, on the next instruction fetch at the latest: ${first}. ${end}`,
      },
    ];
  },
};
