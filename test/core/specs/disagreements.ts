/** Rows in which another x86 does not do what the manual says, or what the CPUs do, and who decides. */
import type { OracleName } from '../oracle/explained';
import type { Row } from './spec';

export interface SpecDisagreement {
  readonly oracle: OracleName | 'kvm';
  readonly because: string;
  matches(row: Row, mode: string): boolean;
}

export const DISAGREEMENTS: readonly SpecDisagreement[] = [];
