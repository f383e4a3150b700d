/** How a run ends and what exits it counts: the words of the JSON contract, which boot plans use too. */

export const OUTCOMES = [
  'halted',
  'shutdown',
  'reset',
  'triple-fault',
  'guest-panic',
  'host-panic',
  'vmm-exit',
  'expectation-met',
  'budget',
  'invalid-entry',
  'cancelled',
] as const;
export type Outcome = (typeof OUTCOMES)[number];

export const EXIT_KINDS = [
  'in',
  'out',
  'mmio-read',
  'mmio-write',
  'hlt',
  'cpuid',
  'rdmsr',
  'wrmsr',
  'shutdown',
] as const;
export type ExitKind = (typeof EXIT_KINDS)[number];
