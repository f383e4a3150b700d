/** What the reader of boot plans finds, and what follows from the table of their keys. */
import { isBootPlan } from '../../boot-plan/document';
import { BOOT_PLAN_PROBLEMS } from '../../boot-plan/problems';
import type { Check } from '../check';
import { shapeRules } from '../shapeRules';

const READER: readonly Check[] = Object.entries(BOOT_PLAN_PROBLEMS).map(([code, row]) => ({
  code,
  ...row,
  on: ['boot-plan'],
}));

/** TOML itself takes a key once, and the keys of a plan are those of this version. */
const NEVER: ReadonlySet<string> = new Set(['boot-plan-duplicate-key', 'boot-plan-version']);

const SHAPE: readonly Check[] = shapeRules(
  {
    prefix: 'boot-plan',
    kind: 'boot-plan',
    reader: 'Bootpath',
    refuses: 'takes the plan for invalid',
    ignores: 'never looks at it',
    unknownKey: 'error',
    duplicate: { severity: 'error', consequence: 'TOML takes a key once' },
    quoteKey: (key) => (/^[\w-]+$/.test(key) ? key : JSON.stringify(key)),
  },
  (document) => (isBootPlan(document) ? document.shapeProblems : []),
).filter(({ code }) => !NEVER.has(code));

export const BOOT_PLAN_CHECKS: readonly Check[] = [...READER, ...SHAPE];
