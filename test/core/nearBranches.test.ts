/** Near branches and the stack at their limits: what faults leaves RSP and RIP as they were (SDM vol. 2, CALL, RET, PUSH). */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import type { VcpuState } from '../../server/src/x86/state';
import { CODE, Lab, outcomeText, STACK } from './lab';
import type { LabMode } from './lab';

interface Case {
  readonly title: string;
  readonly mode: LabMode;
  readonly code: string;
  readonly outcome: string;
  /** RSP and RIP of the first fault, or at the end. */
  readonly rsp: bigint;
  readonly rip: bigint;
  readonly prepare?: (lab: Lab) => void;
}

const limited = (name: keyof VcpuState['segments'], limit: number) => (lab: Lab) =>
  void lab.segment(name, { limit });
const onStack = (value: bigint, size: number) => (lab: Lab) => lab.put(STACK, value, size);
const both =
  (...steps: ((lab: Lab) => void)[]) =>
  (lab: Lab) =>
    steps.forEach((step) => step(lab));

const END = CODE + 0xffn;
const atLimit = limited('cs', Number(END));

const CASES: readonly Case[] = [
  {
    title: 'JMP to the last byte within the limit of CS',
    mode: 'protected-32',
    code: 'e9f9000000',
    prepare: (lab) => both(atLimit, () => lab.put(CODE + 0xfen, 0xf4, 1))(lab),
    outcome: 'ok',
    rsp: STACK,
    rip: END,
  },
  {
    title: 'JMP beyond the limit of CS',
    mode: 'protected-32',
    code: 'e9fb000000',
    prepare: atLimit,
    outcome: '#GP(0)',
    rsp: STACK,
    rip: CODE,
  },
  {
    title: 'JNC beyond the limit of CS',
    mode: 'protected-32',
    code: '0f83fa000000',
    prepare: atLimit,
    outcome: '#GP(0)',
    rsp: STACK,
    rip: CODE,
  },
  {
    title: 'JMP with a 66 prefix cuts the target to 16 bits',
    mode: 'protected-32',
    code: '66e9ff7f',
    prepare: (lab) => lab.put(3n, 0xf4, 1),
    outcome: 'ok',
    rsp: STACK,
    rip: 4n,
  },
  {
    title: 'CALL beyond the limit of CS',
    mode: 'protected-32',
    code: 'e8fb000000',
    prepare: atLimit,
    outcome: '#GP(0)',
    rsp: STACK,
    rip: CODE,
  },
  {
    title: 'CALL with no room below the limit of SS',
    mode: 'protected-32',
    code: 'e800000000',
    prepare: limited('ss', Number(STACK) - 2),
    outcome: '#SS(0)',
    rsp: STACK,
    rip: CODE,
  },
  { title: 'CALL', mode: 'protected-32', code: 'e800000000', outcome: 'ok', rsp: STACK - 4n, rip: CODE + 6n },
  {
    title: 'RET beyond the limit of CS',
    mode: 'protected-32',
    code: 'c3',
    prepare: both(atLimit, onStack(END + 1n, 4)),
    outcome: '#GP(0)',
    rsp: STACK,
    rip: CODE,
  },
  {
    title: 'RET from beyond the limit of SS',
    mode: 'protected-32',
    code: 'c3',
    prepare: limited('ss', Number(STACK) + 2),
    outcome: '#SS(0)',
    rsp: STACK,
    rip: CODE,
  },
  {
    title: 'RET 8 drops the arguments',
    mode: 'protected-32',
    code: 'c20800 f4',
    prepare: onStack(CODE + 3n, 4),
    outcome: 'ok',
    rsp: STACK + 12n,
    rip: CODE + 4n,
  },
  {
    title: 'PUSH with no room below the limit of SS',
    mode: 'protected-32',
    code: '50',
    prepare: limited('ss', Number(STACK) - 2),
    outcome: '#SS(0)',
    rsp: STACK,
    rip: CODE,
  },
  {
    title: 'POP from beyond the limit of SS',
    mode: 'protected-32',
    code: '58',
    prepare: limited('ss', Number(STACK) + 2),
    outcome: '#SS(0)',
    rsp: STACK,
    rip: CODE,
  },
  {
    title: 'POP ESP takes what it read',
    mode: 'protected-32',
    code: '5c',
    prepare: onStack(0x1234n, 4),
    outcome: 'ok',
    rsp: 0x1234n,
    rip: CODE + 2n,
  },
  { title: 'CALL', mode: 'long', code: 'e800000000', outcome: 'ok', rsp: STACK - 8n, rip: CODE + 6n },
  {
    title: 'CALL on a non-canonical stack',
    mode: 'long',
    code: 'e800000000',
    prepare: (lab) => void lab.set({ rsp: 0x800000000004n }),
    outcome: '#SS(0)',
    rsp: 0x800000000004n,
    rip: CODE,
  },
  {
    title: 'RET 8 drops the arguments',
    mode: 'long',
    code: 'c20800 f4',
    prepare: onStack(CODE + 3n, 8),
    outcome: 'ok',
    rsp: STACK + 16n,
    rip: CODE + 4n,
  },
  {
    title: 'RET to a non-canonical address',
    mode: 'long',
    code: 'c3',
    prepare: onStack(0x800000000000n, 8),
    outcome: '#GP(0)',
    rsp: STACK,
    rip: CODE,
  },
  {
    title: 'LEAVE',
    mode: 'long',
    code: 'c9',
    prepare: (lab) => void lab.set({ rbp: STACK - 0x10n }),
    outcome: 'ok',
    rsp: STACK - 8n,
    rip: CODE + 2n,
  },
  {
    title: 'LEAVE from a page that is not mapped',
    mode: 'long',
    code: 'c9',
    prepare: (lab) => void lab.set({ rbp: 0x800000n }),
    outcome: '#PF(0)',
    rsp: STACK,
    rip: CODE,
  },
  {
    title: 'LEAVE with a 66 prefix pops 16 bits',
    mode: 'long',
    code: '66c9',
    prepare: (lab) => void lab.set({ rbp: STACK }),
    outcome: 'ok',
    rsp: STACK + 2n,
    rip: CODE + 3n,
  },
];

for (const { title, mode, code, outcome, rsp, rip, prepare } of CASES)
  test(`${mode}: ${title}: ${outcome}`, () => {
    const lab = new Lab({ mode });
    prepare?.(lab);
    const result = lab.run(code, 8);
    const { general, rip: at } = result.fault?.state ?? result.state;
    assert.deepEqual([outcomeText(result), general.rsp, at], [outcome, rsp, rip]);
  });
