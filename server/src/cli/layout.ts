/** `bootpath layout FILE`: the guest's physical address space, and how two differ. */
import { formatRange } from '../address/format';
import { shownMachines } from '../machine/language';
import { vmmLabel } from '../machine/machine';
import { differencesJson, layoutDifferences, layoutJson } from '../output/layout';
import { renderText } from '../picture/text';
import { addressSpaceSvg } from '../picture/addressSpacePicture';
import { json, stringOption, UsageError, type Command, type Options, type Terminal } from './command';
import { choiceOf, openDocument, pathOf, pickMachine, terminalStyle } from './inputs';

export const layoutCommand: Command = {
  name: 'layout',
  usage: 'layout FILE [--vm NAME] [--as VMM[@VERSION]]  |  layout --diff A B',
  summary: 'the guest’s physical address space, each region with its reason',
  formats: ['text', 'json', 'svg'],
  options: {
    vm: { type: 'string', help: 'one machine of the file' },
    as: { type: 'string', help: 'the VMM and version to read the file for' },
    diff: { type: 'boolean', help: 'where two files’ layouts say different things' },
  },
  run(options, terminal) {
    return Promise.resolve(options.values.diff ? difference(options, terminal) : layout(options, terminal));
  },
};

function layout(options: Options, { out, note, service }: Terminal): number {
  const [file, ...rest] = options.arguments;
  if (file === undefined || rest.length > 0) throw new UsageError('layout takes one file');
  const document = openDocument(service, file, choiceOf(service, stringOption(options, 'as')));
  if (!document) throw new UsageError(`${file}: not recognised as a VM config or a memory map`);
  const name = stringOption(options, 'vm');
  const machines = name === undefined ? shownMachines(document) : [pickMachine(document, name, file)];
  if (machines.length === 0) note(`${file}: describes no machine`);
  for (const { name: refused, vmm, regions } of machines) {
    if (vmm !== null && regions.length === 0)
      note(`${file}: ${vmm} lays out no memory for "${refused}"; bootpath simulate says why`);
  }
  switch (stringOption(options, 'format')) {
    case 'json':
      out(json(layoutJson(machines, pathOf)));
      break;
    case 'svg':
      out(addressSpaceSvg(pickMachine(document, name, file), { palette: 'light' }));
      break;
    default:
      for (const machine of machines) {
        const label = vmmLabel(machine);
        out(`${machine.name}${label ? ` (${label})` : ''}\n\n${renderText(machine, terminalStyle())}\n`);
      }
  }
  return 0;
}

function difference(options: Options, { out, service }: Terminal): number {
  const [a, b, ...rest] = options.arguments;
  if (a === undefined || b === undefined || rest.length > 0)
    throw new UsageError('layout --diff takes two files');
  const choice = choiceOf(service, stringOption(options, 'as'));
  const [left, right] = [a, b].map((file) => {
    const document = openDocument(service, file, choice);
    if (!document) throw new UsageError(`${file}: not recognised as a VM config or a memory map`);
    return pickMachine(document, stringOption(options, 'vm'), file);
  });
  const differences = layoutDifferences(left!, right!);
  if (stringOption(options, 'format') === 'json') out(json(differencesJson(differences)));
  else if (differences.length === 0) out('no difference\n');
  else {
    for (const { start, end, left, right } of differences) {
      out(`${formatRange({ start, end })}  ${left ?? 'nothing'} | ${right ?? 'nothing'}\n`);
    }
  }
  return 0;
}
