/** A GDT or IDT that the registers do not reach. */
import { formatRange, hex } from '../../address/format';
import { fromLength } from '../../address/range';
import type { DescriptorTable, InitialVcpu } from '../../machine/bootState';
import type { TableRegister } from '../../x86/state';
import type { Check, Found } from '../check';
import { bootsOf, pagingOn, placeOf, vcpuWord, written, type Boot } from './boots';

const WHEN = {
  gdt: 'The first load of a segment register, far jump or IRET reads it',
  idt: 'The first exception or interrupt reads it',
} as const;

/** An empty IDT says that nobody is meant to read it: any exception is then a triple fault. */
function isEmptyTable(table: DescriptorTable): boolean {
  return table.which === 'idt' && table.entries.every(({ value }) => value === 0n);
}

function problemOf(
  { linear, memory }: Boot,
  vcpu: InitialVcpu,
  table: DescriptorTable,
  register: TableRegister,
): string | null {
  const name = `${table.which.toUpperCase()}R`;
  const range = fromLength(register.base, BigInt(register.limit) + 1n);
  const paging = pagingOn(vcpu);
  if (paging === undefined || (paging && !linear.known)) return null;
  if (paging) {
    const unmapped = linear.firstUnmapped(range);
    // What lies behind the entries that there are is only read where a selector leads there.
    const used = fromLength(register.base, BigInt(table.entries.length) * 8n);
    if (unmapped && unmapped.start < used.end)
      return `${name} leads to ${formatRange(range)}, and the page tables do not map ${formatRange(unmapped)}`;
  }
  const physical = paging ? linear.translate(register.base) : register.base;
  if (physical === null) return null;
  if (physical !== table.base)
    return `${name} leads to ${hex(physical)}, and the table lies at ${hex(table.base)}`;
  const missing = memory.known ? memory.coverage.firstMissing(fromLength(physical, 8n)) : null;
  return missing ? `${name} leads to ${hex(physical)}, where no region has memory` : null;
}

export const tableReach: Check = {
  code: 'boot-table-unreachable',
  severity: 'warning',
  title: 'Descriptor table that its register does not reach',
  on: ['machine'],
  *run(document) {
    for (const boot of bootsOf(document)) {
      for (const vcpu of boot.state.vcpus) {
        for (const table of boot.state.tables) {
          const register = vcpu.state[`${table.which}r`];
          if (!register || !written(vcpu.origin) || isEmptyTable(table)) continue;
          const problem = problemOf(boot, vcpu, table, register);
          if (problem === null) continue;
          const at = placeOf(boot, vcpu, `${table.which}r`);
          const found: Found = {
            at,
            evidence: 'proven',
            message: `${vcpuWord(boot, vcpu)}${problem}. ${WHEN[table.which]}, and faults.`,
          };
          yield table.at && at
            ? { ...found, related: [{ at: table.at, message: `The ${table.which.toUpperCase()}.` }] }
            : found;
        }
      }
    }
  },
};
