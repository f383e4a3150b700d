/** `bootpath layout FILE`: the guest's physical address space, and how two differ. */
import { shownMachines } from '../machine/language';
import { vmmLabel } from '../machine/machine';
import { differencesJson, layoutDifferences, layoutJson } from '../output/layout';
import { mappingsText } from '../output/mappings';
import { comparisonText, unknownSides, type ComparedLayout } from '../output/layoutComparison';
import { renderText } from '../picture/text';
import { addressSpaceSvg } from '../picture/addressSpacePicture';
import {
  json,
  listOption,
  stringOption,
  UsageError,
  type Command,
  type Options,
  type Terminal,
} from './command';
import { choiceOf, noMachine, openDocument, pathOf, pickMachine, terminalStyle } from './inputs';

export const layoutCommand: Command = {
  name: 'layout',
  usage: 'layout FILE [--vm NAME] [--as VMM[@VERSION]]  |  layout --diff A [B] [--vm LEFT [--vm RIGHT]]',
  summary: 'the guest’s physical address space, each region with its reason',
  formats: ['text', 'json', 'svg'],
  options: {
    vm: {
      type: 'string',
      multiple: true,
      help: 'one machine of the file; with --diff twice, the left and the right one',
    },
    as: { type: 'string', help: 'the VMM and version to read the file for' },
    diff: { type: 'boolean', help: 'where two files, or two machines of one, say different things' },
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
  const [name, ...names] = listOption(options, 'vm');
  if (names.length > 0) throw new UsageError('layout takes --vm twice only with --diff');
  const machines = name === undefined ? shownMachines(document) : [pickMachine(document, name, file)];
  if (machines.length === 0) note(noMachine(document, file));
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
        const { mappings = [], regions } = machine;
        const parts = [
          ...(regions.length > 0 || mappings.length === 0 ? [renderText(machine, terminalStyle())] : []),
          ...(mappings.length > 0 ? [mappingsText(mappings, pathOf)] : []),
        ];
        out(`${machine.name}${label ? ` (${label})` : ''}\n\n${parts.join('\n\n')}\n`);
      }
  }
  return 0;
}

/** A file of the comparison with the machine that is asked for in it. */
function compared(
  options: Options,
  service: Terminal['service'],
  file: string,
  name: string | undefined,
  index = 0,
): ComparedLayout {
  const document = openDocument(service, file, choiceOf(service, stringOption(options, 'as')));
  if (!document) throw new UsageError(`${file}: not recognised as a VM config or a memory map`);
  const shown = shownMachines(document);
  if (name === undefined && shown.length > 0 && index >= shown.length)
    throw new UsageError(`${file} describes one machine only: --diff needs another file`);
  return {
    machine: name === undefined && index > 0 ? shown[index]! : pickMachine(document, name, file),
    file,
  };
}

/** Two files, or two machines of one: the first two of it, or those that `--vm` names, the left one first. */
function difference(options: Options, { out, note, service }: Terminal): number {
  const [a, b, ...rest] = options.arguments;
  if (stringOption(options, 'format') === 'svg')
    throw new UsageError('layout --diff prints text or json, not "svg"');
  if (a === undefined || rest.length > 0)
    throw new UsageError('layout --diff takes two files, or one with two machines');
  const names = listOption(options, 'vm');
  if (names.length > 2)
    throw new UsageError('layout --diff takes --vm twice at most: for the left and for the right');
  if (b === undefined && names.length === 1)
    throw new UsageError('layout --diff of one file takes --vm twice: for the left and for the right');
  const left = compared(options, service, a, names[0]);
  const right = compared(options, service, b ?? a, names[1] ?? names[0], b === undefined ? 1 : 0);
  if (stringOption(options, 'format') === 'json') {
    for (const sentence of unknownSides(left, right)) note(sentence);
    out(json(differencesJson(layoutDifferences(left.machine, right.machine))));
  } else out(comparisonText(left, right, terminalStyle()));
  return 0;
}
