/** `bootpath explain KIND VALUE…`: one value in the manual's words. */
import { explain, EXPLAIN_KINDS } from '../x86/explain';
import { explanationText } from '../output/explanation';
import { json, stringOption, UsageError, type Command } from './command';

export const explainCommand: Command = {
  name: 'explain',
  usage: `explain KIND VALUE…    (${EXPLAIN_KINDS.join(', ')})`,
  summary: 'a descriptor, page-table entry, control register, ICR or exit in words',
  formats: ['text', 'json'],
  options: {},
  run(options, { out }) {
    const [kind, ...values] = options.arguments;
    if (kind === undefined || values.length === 0) throw new UsageError('explain needs a kind and a value');
    const result = explain(kind, values);
    if ('problem' in result) throw new UsageError(result.problem);
    out(stringOption(options, 'format') === 'json' ? json(result) : explanationText(result));
    return Promise.resolve(0);
  },
};
