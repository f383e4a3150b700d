/** Known issues of libkrun that the size of memory decides: `libkrun-initrd-above-4g` and `libkrun-ram-over-mmio`. */
import { formatSize, hex } from '../../address/format';
import type { Machine } from '../../machine/machine';
import { FOUR_GIB, MMIO_START } from '../../vmm/libkrun/addresses';
import { libkrunGuest } from '../../vmm/libkrun/guestFacts';
import { libkrunInitrdAbove4g } from '../../vmm/libkrun/knownIssues/initrdAbove4g';
import { libkrunRamOverMmio } from '../../vmm/libkrun/knownIssues/ramOverMmio';
import { kernelHole } from '../../vmm/libkrun/layout';
import { libkrunMemory, type LibkrunMemory } from '../../vmm/libkrun/memory';
import type { KnownIssue } from '../../machine/knownIssue';
import type { Check, Found } from '../check';

function memoryOf(machine: Machine): LibkrunMemory | null {
  const size = machine.memory?.value ?? 0n;
  return size > 0n ? libkrunMemory(size, kernelHole(libkrunGuest(machine))) : null;
}

function ofIssue(issue: KnownIssue, find: (machine: Machine) => Omit<Found, 'severity'> | null): Check {
  return {
    code: issue.id,
    severity: 'warning',
    title: issue.title,
    on: ['boxlite', 'libkrun-c'],
    *run({ choice, machines }) {
      if (choice?.vmm !== issue.vmm || !issue.affected.includes(choice.version)) return;
      for (const machine of machines) {
        const found = find(machine);
        if (found) yield found;
      }
    },
  };
}

const placeOf = ({ memory, nameAt, at }: Machine) =>
  memory?.origin.kind === 'text' ? memory.origin : (nameAt ?? at);

const initrdAbove4g = ofIssue(libkrunInitrdAbove4g, (machine) => {
  const { payload } = libkrunGuest(machine);
  const initrd = machine.images.find(({ role }) => role === 'initrd');
  const memory = memoryOf(machine);
  // A raw kernel is started without its initrd, and a firmware has none.
  if (!initrd || !memory || payload === 'bundled' || payload === 'raw' || payload === 'firmware') return null;
  if (memory.end <= FOUR_GIB) return null;
  return {
    at: initrd.origin.kind === 'text' ? initrd.origin : placeOf(machine),
    evidence: 'proven',
    message: `With ${formatSize(machine.memory!.value)} the initrd ends at ${hex(memory.end)}, above 4 GiB, and Linux is told only 32 bits of where it begins: it looks for it below. At most 3328 MiB keep it in reach.`,
  };
});

const ramOverMmio = ofIssue(libkrunRamOverMmio, (machine) => {
  const memory = memoryOf(machine);
  const hole = kernelHole(libkrunGuest(machine));
  if (!memory || !hole || memory.aboveGap > 0n || memory.end <= MMIO_START) return null;
  return {
    at: placeOf(machine),
    evidence: 'proven',
    message: `${formatSize(machine.memory!.value)} behind the mapped kernel end at about ${hex(memory.end)}, beyond ${hex(MMIO_START)}, where the virtio devices begin: the guest reads RAM in their place and has neither root file system nor console. How much fits depends on the kernel's size; more than 3328 MiB, which are split there, are not concerned.`,
  };
});

export const LIBKRUN_MEMORY_CHECKS: readonly Check[] = [initrdAbove4g, ramOverMmio];
