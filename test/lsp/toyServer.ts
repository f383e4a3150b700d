/** The real server over a toy language and a simulator that does as the request's probe says. */
import { createConnection, ProposedFeatures } from 'vscode-languageserver/node';
import { hostFiles } from '../../server/src/hostFiles';
import { startServer } from '../../server/src/server';
import { createService } from '../../server/src/service';
import { startJob } from '../../server/src/workerHost';
import type { SimulationHandle, Simulator } from '../../server/src/simulations';
import type { Outcome } from '../../server/src/machine/outcome';
import type { BootReport } from '../../server/src/simulation/report';
import { toy } from '../unit/features/toyLanguage';

function report(outcome: Outcome): BootReport {
  return {
    outcome,
    reason: 'The toy says so.',
    instructions: 1_500_000,
    milliseconds: 1,
    instructionsBefore: 0,
    vcpus: [],
    console: '',
    firmwareLog: '',
    screen: '',
    exits: [],
    timeline: [],
    timelineDropped: 0,
    faultChain: [],
    findings: [],
    evidence: null,
    shown: null,
    exitStatus: null,
    symbols: null,
    notModelled: [],
  };
}

/** Probe `forever` runs until it is cancelled, `crash` loses its worker, anything else ends at once. */
const simulate: Simulator = ({ request: { probe } }, progress): SimulationHandle => {
  progress(500_000);
  if (probe === 'crash')
    return { report: Promise.reject(new Error('the worker is gone')), cancel: () => undefined };
  if (probe !== 'forever') return { report: Promise.resolve(report('reset')), cancel: () => undefined };
  const handle = { cancel: (): void => undefined };
  const ended = new Promise<BootReport>((resolve) => (handle.cancel = () => resolve(report('cancelled'))));
  return { report: ended, cancel: () => handle.cancel() };
};

const service = createService({
  languages: [
    {
      ...toy,
      describe(document, position) {
        if (document.source.lines.lineText(position.line).includes('throw'))
          throw new Error('a toy that throws');
        return toy.describe!(document, position);
      },
    },
  ],
  versions: { toy: ['1', '2'].map((id) => ({ id, title: `Toy ${id}`, source: 'toyLanguage.ts' })) },
});

startServer(createConnection(ProposedFeatures.all), {
  service,
  files: hostFiles,
  simulate,
  startJob,
});
