/** Calls that succeed and have no effect, since another call decides. */
import type { CCall } from '../../vmm/libkrun/c/scan';
import { isNull, krunCheck, numberAt } from './krunCheck';

interface Ignored {
  readonly call: RegExp;
  readonly because: RegExp;
  readonly why: string;
}

const IGNORED: readonly Ignored[] = [
  {
    call: /^krun_set_(?:root|data)_disk$/,
    because: /^krun_add_disk[23]?$/,
    why: 'with one disk of krun_add_disk libkrun takes those alone, and the guest does not get this one',
  },
  {
    call: /^krun_set_port_map$/,
    because: /^krun_set_(?:passt_fd|gvproxy_path)$/,
    why: 'the map of ports is TSI’s, which a network backend turns off: no port is forwarded (before 1.16 the second of the two calls fails or takes the place of the first)',
  },
];

export const ignoredCall = krunCheck(
  { code: 'libkrun-ignored-call', severity: 'warning', title: 'A call that another one makes ineffective' },
  function* (rules) {
    for (const { calls } of rules.contexts) {
      for (const { call: ignored, because, why } of IGNORED) {
        const deciding = calls.filter(({ name }) => because.test(name));
        const first: CCall | undefined = deciding[0];
        const last = deciding.at(-1);
        if (!first || !last) continue;
        for (const call of calls) {
          if (!ignored.test(call.name)) continue;
          const other = [first, last].find((one) => rules.together(call, one));
          if (!other) continue;
          yield {
            at: rules.at(call.nameSpan),
            message: `${call.name} has no effect beside ${other.name} in line ${rules.lineOf(other)}: ${why}.`,
            related: [rules.related(other, 'The call that decides')],
            tags: ['unnecessary'],
          };
        }
      }
    }
  },
);

/** map_kernel of src/libkrun/src/lib.rs, which returns before the rest of the arguments is looked at. */
export const rawKernel = krunCheck(
  {
    code: 'libkrun-raw-kernel',
    severity: 'warning',
    title: 'An initrd or command line beside a raw kernel',
  },
  function* (rules) {
    for (const { calls } of rules.contexts) {
      for (const call of calls) {
        if (call.name !== 'krun_set_kernel' || !call.closed || call.arguments.length !== 5) continue;
        if (numberAt(call, 2)?.value !== 0n) continue;
        for (const [index, what] of [
          [3, 'the initrd'],
          [4, 'the command line'],
        ] as const) {
          const given = call.arguments[index];
          // What the program works out may be NULL.
          if (given?.kind !== 'string' || isNull(call, index)) continue;
          yield {
            at: rules.at(given),
            message: `On x86-64 a raw kernel is mapped like the bundled one, and ${what} is not looked at: the guest starts without it.`,
          };
        }
      }
    }
  },
);
