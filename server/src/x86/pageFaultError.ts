/** The error code of #PF. SDM vol. 3, 4.7; bit 31 by APM vol. 2, 15.36 (SEV-SNP). */
import { hex } from '../address/format';
import {
  bit,
  choice,
  explainFields,
  flag,
  listBits,
  setFlags,
  unnamedBits,
  type BitField,
  type Explanation,
} from './bitField';

export const PAGE_FAULT_ERROR: readonly BitField[] = [
  choice(0, 'P', 'the page is not present', 'a right was missing, or a reserved bit was set'),
  choice(1, 'W', 'a read', 'a write'),
  choice(2, 'U', 'in supervisor mode', 'in user mode'),
  flag(3, 'RSVD', 'a reserved bit was set in an entry'),
  flag(4, 'I', 'an instruction fetch'),
  flag(5, 'PK', 'a protection key refused it'),
  flag(6, 'SS', 'a shadow-stack access'),
  flag(7, 'HLAT', 'during a HLAT walk'),
  flag(15, 'SGX', 'refused by SGX'),
  flag(31, 'RMP', 'refused by the reverse map table (AMD SEV-SNP)'),
];

export function explainPageFaultError(code: bigint): Explanation {
  const access = bit(code, 4) ? 'fetch' : bit(code, 1) ? 'write' : 'read';
  const mode = bit(code, 2) ? 'user' : 'supervisor';
  const problems: string[] = [];
  let cause = 'page not present';
  if (bit(code, 0)) {
    if (bit(code, 31)) cause = 'reverse map table';
    else if (bit(code, 15)) cause = 'SGX';
    else if (bit(code, 3)) cause = 'reserved bit in an entry';
    else if (bit(code, 5)) cause = 'protection key';
    else if (bit(code, 6)) cause = 'shadow-stack rules';
    else if (bit(code, 4)) cause = mode === 'supervisor' ? 'NX or SMEP' : 'NX';
    else if (bit(code, 1))
      cause = mode === 'supervisor' ? 'read-only page, or SMAP' : 'read-only or supervisor page';
    else cause = mode === 'supervisor' ? 'SMAP refused a user page' : 'supervisor page';
  } else if (bit(code, 3)) {
    problems.push('RSVD is 1 with P 0: a processor reports reserved bits only for present entries.');
  }
  if (bit(code, 1) && bit(code, 4)) problems.push('W and I are both 1: a fetch is no write.');
  const unnamed = unnamedBits(code, PAGE_FAULT_ERROR, 64);
  if (unnamed.length > 0)
    problems.push(`The code has ${listBits(unnamed)} set, which have no meaning in the manuals.`);
  return {
    kind: 'pf-error',
    value: hex(code),
    summary: `${mode} ${access} · ${cause}`,
    fields: explainFields(code, PAGE_FAULT_ERROR),
    set: setFlags(code, PAGE_FAULT_ERROR),
    problems,
  };
}
