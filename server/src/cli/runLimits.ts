/** The options of `simulate` that go for configs and images alike. */
import type { SimulationRequest } from '../simulation/report';
import { DEFAULT_BUDGET } from '../simulation/simulate';
import { answersOption } from './answerOption';
import { listOption, numberOption, stringOption, UsageError, wholeNumber, type Options } from './command';

export type Limits = Pick<
  SimulationRequest,
  'taps' | 'maxInstructions' | 'reboots' | 'quantum' | 'until' | 'answers'
>;

export function limitsOf(options: Options): Limits {
  const quantum = atLeastOne(options, 'quantum');
  const answers = answersOption(listOption(options, 'answer'));
  const until = stringOption(options, 'until');
  if (until === '') throw new UsageError('--until takes a text');
  return {
    taps: listOption(options, 'tap').map((port) => tapOption(port)),
    maxInstructions: atLeastOne(options, 'max-instructions') ?? DEFAULT_BUDGET,
    reboots: numberOption(options, 'reboots') ?? 0,
    ...(quantum === undefined ? {} : { quantum }),
    ...(until === undefined ? {} : { until }),
    ...(answers.length === 0 ? {} : { answers }),
  };
}

function atLeastOne(options: Options, name: string): number | undefined {
  const value = numberOption(options, name);
  if (value === 0) throw new UsageError(`--${name} takes 1 at least`);
  return value;
}

function tapOption(text: string): number {
  const port = wholeNumber(text, '--tap');
  if (port > 0xffff) throw new UsageError(`--tap ${text}: I/O ports end at 0xffff`);
  return port;
}
