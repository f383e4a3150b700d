/** `bootpath simulate FILE`: boots one machine of a config on the emulator, under its VMM's model. */
import { bootReportJson, bootReportText, countText } from '../output/bootReport';
import { DEFAULT_BUDGET } from '../simulation/simulate';
import { PROBES } from '../simulation/probes/probes';
import type { Outcome } from '../simulation/report';
import { startSimulation } from '../worker';
import {
  json,
  listOption,
  numberOption,
  stringOption,
  UsageError,
  wholeNumber,
  type Command,
} from './command';
import { choiceOf, openDocument, pathOf, pickMachine, readBytes, terminalStyle } from './inputs';

/** Outcomes that make exit code 1 where nothing was expected. */
const FAILED: ReadonlySet<Outcome> = new Set([
  'triple-fault',
  'guest-panic',
  'host-panic',
  'budget',
  'invalid-entry',
]);

export const simulateCommand: Command = {
  name: 'simulate',
  usage: 'simulate FILE [--vm NAME] [--as VMM[@VERSION]] [--firmware F | --image F | --probe NAME]',
  summary: 'boots a machine on the emulator and says what the guest did',
  formats: ['text', 'json'],
  options: {
    vm: { type: 'string', help: 'the machine to boot; the first one otherwise' },
    as: { type: 'string', help: 'the VMM and version to boot it under' },
    firmware: { type: 'string', help: 'a BIOS image' },
    image: { type: 'string', help: 'a kernel image that the VMM loads itself' },
    probe: { type: 'string', help: `a probe guest: ${PROBES.map(({ name }) => name).join(', ')}` },
    set: {
      type: 'string',
      multiple: true,
      help: 'a parameter of the probe, NAME=VALUE (repeatable)',
    },
    tap: {
      type: 'string',
      multiple: true,
      help: 'watch a debug port that the real VMM does not have, for example 0x402 (repeatable)',
    },
    'max-instructions': { type: 'string', help: `the budget (${countText(DEFAULT_BUDGET)} otherwise)` },
    reboots: { type: 'string', help: 'go on through so many resets' },
    quantum: { type: 'string', help: 'instructions that a vCPU runs before the next one’s turn' },
  },
  async run(options, { out, note, service }) {
    const [file, ...rest] = options.arguments;
    if (file === undefined || rest.length > 0) throw new UsageError('simulate takes one file');
    const sources = ['firmware', 'image', 'probe'].filter((name) => options.values[name] !== undefined);
    if (sources.includes('probe') && sources.length > 1) {
      throw new UsageError(`--${sources.join(' and --')} exclude each other`);
    }
    const document = openDocument(service, file, choiceOf(service, stringOption(options, 'as')));
    if (!document) throw new UsageError(`${file}: not recognised as a VM config or a memory map`);
    const machine = pickMachine(document, stringOption(options, 'vm'), file);
    const image = (name: string) => {
      const path = stringOption(options, name);
      return path === undefined ? null : readBytes(path);
    };
    const quantum = numberOption(options, 'quantum');
    const simulation = startSimulation(
      document,
      {
        machine: machine.name,
        firmware: image('firmware'),
        kernel: image('image'),
        probe: probeOption(stringOption(options, 'probe')),
        parameters: parametersOption(listOption(options, 'set')),
        taps: listOption(options, 'tap').map((port) => tapOption(port)),
        maxInstructions: numberOption(options, 'max-instructions') ?? DEFAULT_BUDGET,
        reboots: numberOption(options, 'reboots') ?? 0,
        ...(quantum === undefined ? {} : { quantum }),
      },
      (instructions) => {
        if (process.stderr.isTTY) process.stderr.write(`\r${countText(instructions)} instructions `);
      },
    );
    const interrupt = () => simulation.cancel();
    process.once('SIGINT', interrupt);
    const report = await simulation.report.finally(() => {
      process.removeListener('SIGINT', interrupt);
      if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
    });
    if (report.outcome === 'cancelled') note('cancelled');
    out(
      stringOption(options, 'format') === 'json'
        ? json(bootReportJson(report, pathOf))
        : bootReportText(report, machine, terminalStyle()),
    );
    return FAILED.has(report.outcome) ? 1 : 0;
  },
};

function probeOption(name: string | undefined): string | null {
  if (name === undefined) return null;
  if (PROBES.some((probe) => probe.name === name)) return name;
  throw new UsageError(
    `there is no probe "${name}" (there are ${PROBES.map((probe) => probe.name).join(', ')})`,
  );
}

function tapOption(text: string): number {
  const port = wholeNumber(text, '--tap');
  if (port > 0xffff) throw new UsageError(`--tap ${text}: I/O ports end at 0xffff`);
  return port;
}

/** `ibt=1` for each; that the probe has such a parameter is checked where the probe is loaded. */
function parametersOption(texts: readonly string[]): Record<string, number> {
  return Object.fromEntries(
    texts.map((text) => {
      const [name = '', value = ''] = text.split('=');
      return [name, wholeNumber(value, `--set ${name}`)];
    }),
  );
}
