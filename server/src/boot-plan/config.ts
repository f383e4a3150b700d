/** `config` of a plan: the config or memory map whose machine the plan boots, instead of saying itself what memory there is. */
import {
  shownMachines,
  type Document,
  type Language,
  type ParseContext,
  type VmmChoice,
} from '../machine/language';
import type { Machine } from '../machine/machine';
import type { Fix } from '../text/finding';
import { closest } from '../text/closest';
import { resolveUri } from '../text/resolveUri';
import type { ObjectNode } from '../text/shape/node';
import { SourceText } from '../text/sourceText';
import { parseUnder } from '../vmm/documentUnder';
import { vmmModel } from '../vmm/models';
import { underModel } from '../vmm/relayout';
import type { Written } from './plan';
import type { PlanReader, Read } from './reader';
import { recogniseBootPlan } from './recognise';

export interface NamedConfig {
  readonly path: Written<string>;
  /** Null where the path says no place. */
  readonly uri: string | null;
  /** Read for the VMM that runs it; null where there is no text of a kind that is known. */
  readonly document: Document | null;
  /** The one that is booted; null where none is, or none is said. */
  readonly machine: Machine | null;
  /** False where the config is one of another VMM's, whose rules mean nothing to the VMM that runs it. */
  readonly ownVmm: boolean;
}

/** What the plan is read with. */
export interface PlanContext extends ParseContext {
  /** Configs and memory maps that a plan may name. */
  readonly configs: readonly Language[];
}

export function readConfig(reader: PlanReader, root: ObjectNode, context: PlanContext): NamedConfig | null {
  const path = reader.text(root, 'config');
  if (!path) {
    const member = reader.member(root, 'machine');
    if (member && !reader.member(root, 'config')) {
      const message = '`machine` picks one of the machines of `config`, and this plan names no config.';
      reader.problem('boot-plan-unused', member.key, message);
    }
    return null;
  }
  contradictions(reader, root);
  const uri = resolveUri(path.value, reader.source.uri);
  const none = { path: { value: path.value, at: path.at }, uri, document: null, machine: null, ownVmm: true };
  const text = uri === null ? undefined : context.files.get(uri);
  if (uri === null || text === undefined) {
    reader.problem('boot-plan-config', path.node, `The config ${path.value} is not there or cannot be read.`);
    return none;
  }
  const isPlan = recogniseBootPlan(text, uri);
  const language = isPlan ? null : context.configs.find((candidate) => candidate.recognise(text, uri));
  if (!language) {
    const what = isPlan
      ? 'is a boot plan itself: a plan names a config or a memory map'
      : 'is not recognised as a VM config or a memory map';
    reader.problem('boot-plan-config', path.node, `${path.value} ${what}.`);
    return none;
  }
  const document = parseUnder(language, new SourceText(uri, text), context);
  const chosen = chosenMachine(reader, root, path, document);
  const machine = chosen?.vmm === null ? runBy(chosen, context.choice ?? document.choice) : chosen;
  if (chosen && !machine) {
    const message = `${path.value} is a memory map that names no VMM: \`vmm\` has to say which one runs it.`;
    reader.problem('boot-plan-config', path.node, message);
  }
  const ownVmm = language.vmm === null || document.choice?.vmm === language.vmm;
  return { ...none, document, machine, ownVmm };
}

/** A memory map may be of any VMM. */
function runBy(machine: Machine, choice: VmmChoice | null): Machine | null {
  const model = choice && vmmModel(choice.vmm);
  return model ? underModel(machine, model, choice.version) : null;
}

function chosenMachine(
  reader: PlanReader,
  root: ObjectNode,
  path: Read<string>,
  document: Document,
): Machine | null {
  const shown = shownMachines(document);
  const names = shown.map(({ name }) => name);
  const asked = reader.text(root, 'machine');
  if (shown.length === 0) {
    reader.problem('boot-plan-config', path.node, `${path.value} describes no machine.`);
    return null;
  }
  if (asked) {
    const found = shown.find(({ name }) => name === asked.value);
    if (found) return found;
    const near = closest(asked.value, names);
    const message = `${path.value} has no machine ${JSON.stringify(asked.value)}: it has ${listed(names)}.`;
    const edit = (name: string) => [{ ...reader.at(asked.node), newText: JSON.stringify(name) }];
    const fixes: Fix[] = near === undefined ? [] : [{ title: `Change to "${near}"`, edits: edit(near) }];
    reader.problem('boot-plan-config', asked.node, message, { fixes });
    return null;
  }
  if (document.machines.length <= 1) return shown[0]!;
  const { uri } = reader.source;
  const { end } = path.at.range;
  reader.problem(
    'boot-plan-config',
    path.node,
    `${path.value} describes ${document.machines.length} machines, and \`machine\` has to say which: ${listed(names)}.`,
    {
      fixes: names.slice(0, MOST_LISTED).map((name) => ({
        title: `Add machine = ${JSON.stringify(name)}`,
        edits: [{ uri, range: { start: end, end }, newText: `\nmachine = ${JSON.stringify(name)}` }],
      })),
    },
  );
  return null;
}

const MOST_LISTED = 10;

function listed(names: readonly string[]): string {
  const more = names.length > MOST_LISTED ? ` and ${names.length - MOST_LISTED} more` : '';
  return names.slice(0, MOST_LISTED).join(', ') + more;
}

const MACHINE = 'the machine is the one of the config, whose memory and vCPUs stand there';
const START = 'the VMM starts the machine of the config, and fills its memory and registers itself';

/** What says again, or otherwise, what the config says. */
const EXCLUDED: Readonly<Record<string, string>> = {
  memory: MACHINE,
  vcpus: MACHINE,
  region: MACHINE,
  gdt: START,
  idt: START,
  paging: START,
  map: START,
  vcpu: START,
  load: START,
  linux: START,
  captured: START,
};

function contradictions(reader: PlanReader, root: ObjectNode): void {
  const config = reader.member(root, 'config')!;
  for (const [key, why] of Object.entries(EXCLUDED)) {
    const member = reader.member(root, key);
    if (!member) continue;
    reader.problem('boot-plan-config', member.key, `\`${key}\` and \`config\` exclude each other: ${why}.`, {
      related: [{ at: reader.at(config.key), message: 'The config is named here.' }],
    });
  }
}
