/** Calls for a context that krun_start_enter has taken. */
import type { CCall } from '../../vmm/libkrun/c/scan';
import { krunCheck } from './krunCheck';

export const afterStart = krunCheck(
  { code: 'libkrun-after-start', severity: 'warning', title: 'A call for a context that has been started' },
  function* (rules) {
    for (const { calls } of rules.contexts) {
      let started: CCall | null = null;
      for (const call of calls) {
        if (started && call.name !== 'krun_free_ctx' && rules.precedes(started, call)) {
          yield {
            at: rules.at(call.nameSpan),
            message: `krun_start_enter in line ${rules.lineOf(started)} takes the context away, and a guest that runs keeps the process: this call is never made, or returns -ENOENT.`,
            related: [rules.related(started, 'The start')],
          };
        } else if (!started && call.name === 'krun_start_enter') started = call;
      }
    }
  },
);
