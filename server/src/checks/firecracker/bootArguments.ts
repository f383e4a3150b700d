/** The kernel's command line: what Firecracker adds to it, how long it may be and what it may be made of. */
import { firecrackerCommandLine } from '../../vmm/firecracker/commandLine';
import { configuredDevices } from '../../vmm/firecracker/devices';
import { textOf } from '../jsonRules';
import { firecrackerCheck, type FirecrackerRules } from './firecrackerCheck';
import type { Found } from '../check';

function argumentsOf(rules: FirecrackerRules) {
  return textOf(rules.section('boot-source'), 'boot_args');
}

/** Words for the kernel: those behind ` -- ` go to init. */
function kernelWords(line: string): string[] {
  return line.split(' -- ', 1)[0]!.split(/\s+/);
}

export const rootArgument = firecrackerCheck(
  { code: 'firecracker-root-argument', severity: 'warning', title: 'A root= that Firecracker overrides' },
  function* (rules) {
    const args = argumentsOf(rules);
    const added = configuredDevices(rules.document.root).findLast(({ root }) => root !== null)?.root;
    if (!args || added === undefined || added === null) return;
    const given = kernelWords(args.value).findLast((word) => word.startsWith('root='));
    const root = added.split(' ')[0]!;
    if (given === undefined || given === root || given.toLowerCase() === root.toLowerCase()) return;
    yield {
      at: rules.at(args),
      message: `Firecracker adds \`${added}\` for the root device behind these arguments, and the kernel takes the last \`root=\`: \`${given}\` has no effect.`,
    };
  },
);

export const accessArgument = firecrackerCheck(
  {
    code: 'firecracker-root-access',
    severity: 'information',
    title: 'An ro or rw that Firecracker overrides',
  },
  function* (rules) {
    const args = argumentsOf(rules);
    const added = configuredDevices(rules.document.root).findLast(({ root }) => root !== null)?.root;
    const adds = added?.split(' ').at(-1);
    const given = args && kernelWords(args.value).findLast((word) => word === 'ro' || word === 'rw');
    if (!args || !adds || !given || given === adds) return;
    yield {
      at: rules.at(args),
      message: `Firecracker adds \`${adds}\` behind these arguments, as the root device is ${adds === 'ro' ? 'read-only' : 'not read-only'}, and the kernel takes the last of the two: \`${given}\` has no effect.`,
    };
  },
);

export const virtioMmioArgument = firecrackerCheck(
  { code: 'firecracker-virtio-mmio', severity: 'warning', title: 'A virtio_mmio.device= by hand' },
  function* (rules) {
    const args = argumentsOf(rules);
    const word = args && kernelWords(args.value).find((each) => each.startsWith('virtio_mmio.device='));
    if (!args || !word) return;
    yield {
      at: rules.at(args),
      message: `Firecracker adds a \`virtio_mmio.device=\` for each of its devices: \`${word.slice(0, 80)}\` names one of them a second time, or an address where none is.`,
    };
  },
);

export const argumentsLength = firecrackerCheck(
  { code: 'firecracker-command-line-length', severity: 'error', title: 'A command line that is too long' },
  function* (rules): Generator<Found> {
    const args = argumentsOf(rules);
    const [machine] = rules.document.machines;
    if (!args || !machine) return;
    const { facts, id } = rules.version;
    const most = facts.commandLineMax - 1;
    const whole = firecrackerCommandLine(args.value, machine, facts).length;
    if (whole <= most) return;
    const own = args.value.length;
    yield {
      at: rules.at(args),
      message:
        own > most
          ? `The arguments have ${own} characters, and Firecracker ${id} takes ${most}: it refuses the config.`
          : `With what Firecracker adds for its devices the command line has ${whole} characters (the arguments ${own}), and ${most} is the most: the microVM does not start${rules.has({ since: '1.13' }) ? ', unless `--enable-pci` keeps those words away' : ''}.`,
    };
  },
);

export const argumentsCharacters = firecrackerCheck(
  {
    code: 'firecracker-command-line-character',
    severity: 'error',
    title: 'A character that no command line takes',
  },
  function* (rules) {
    const args = argumentsOf(rules);
    const match = args && /[^ -~]/u.exec(args.value);
    if (!args || !match) return;
    const character = match[0].codePointAt(0)!;
    const name = { 9: 'a tab', 10: 'a line break', 13: 'a carriage return' }[character];
    const shown = name ?? `U+${character.toString(16).toUpperCase().padStart(4, '0')}`;
    yield {
      at: rules.at(args),
      message: `The arguments hold ${shown}, and Firecracker takes ASCII from blank to ~ only (linux-loader, Cmdline): it refuses the config (InvalidKernelCommandLine).`,
    };
  },
);
