/** The findings that the reader of boot plans itself makes; what follows from the table of keys is in `checks/boot-plan`. */
import type { Severity } from '../text/finding';

export const BOOT_PLAN_PROBLEMS = {
  'boot-plan-toml': { severity: 'error', title: 'The text is no TOML here' },
  'boot-plan-number': { severity: 'error', title: 'A number that cannot be read or is too large' },
  'boot-plan-config': { severity: 'error', title: 'A config that the plan cannot take its machine from' },
  'boot-plan-region': { severity: 'error', title: 'A region whose bounds do not go together' },
  'boot-plan-closed-end': {
    severity: 'warning',
    title: 'An end that looks like the last byte, or the other way round',
  },
  'boot-plan-descriptor': { severity: 'error', title: 'A descriptor or table that cannot be encoded' },
  'boot-plan-selector': { severity: 'error', title: 'A selector that cannot be loaded from the GDT' },
  'boot-plan-page-tables': { severity: 'error', title: 'A mapping that page tables cannot hold' },
  'boot-plan-load': { severity: 'error', title: 'A load without content or place' },
  'boot-plan-vcpu': { severity: 'error', title: 'A vCPU that stands twice or is none of the machine' },
  'boot-plan-unused': { severity: 'warning', title: 'A part of the plan that has no effect' },
  'boot-plan-expectation': { severity: 'error', title: 'An expectation that cannot be held to a run' },
} as const satisfies Record<string, { severity: Severity; title: string }>;

export type BootPlanProblem = keyof typeof BOOT_PLAN_PROBLEMS;
