/**
 * Differences between the core and an oracle that are no fault of the core, by rule. Each says which fields of a result it
 * accounts for; what is left over is unexplained. A rule looks at the instruction and at both results, never at a seed.
 */
import { GENERAL_RULES } from './explainedByManual';
import { HOST_RULES } from './explainedOnHost';
import type { Field } from './fuzz/compare';
import type { Opcode } from './fuzz/opcode';
import type { Case, Result } from './stepper/records';
import type { Mode } from './stepper/stage';

export type OracleName = 'host' | 'qemu' | 'bochs';

export interface Difference {
  readonly mode: Mode;
  readonly prepared: Case;
  /** The last instruction that began. */
  readonly instruction: Opcode;
  readonly core: Result;
  readonly oracle: Result;
  readonly fields: ReadonlySet<Field>;
}

export interface Rule {
  readonly title: string;
  readonly oracles: readonly OracleName[];
  readonly because: string;
  /** Fields that it accounts for; `all` where the instruction is another one there. */
  explains(difference: Difference): readonly Field[] | 'all';
}

const RULES: readonly Rule[] = [...GENERAL_RULES, ...HOST_RULES];

export interface Explanation {
  readonly unexplained: ReadonlySet<Field>;
  readonly rules: readonly string[];
}

/** The rules that apply, and what they leave. */
export function explain(oracle: OracleName, difference: Difference): Explanation {
  const left = new Set(difference.fields);
  const rules: string[] = [];
  for (const rule of RULES) {
    if (!rule.oracles.includes(oracle) || left.size === 0) continue;
    const fields = rule.explains(difference);
    const before = left.size;
    if (fields === 'all') left.clear();
    else for (const field of fields) left.delete(field);
    if (left.size < before) rules.push(rule.title);
  }
  return { unexplained: left, rules };
}
