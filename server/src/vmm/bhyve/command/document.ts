/** A shell script with bhyve commands as a Document: each command is a machine. */
import type { Document, ParseContext, PathLink } from '../../../machine/language';
import type { Machine } from '../../../machine/machine';
import type { Finding } from '../../../text/finding';
import type { SourceText } from '../../../text/sourceText';
import { configDocument } from '../../configDocument';
import { chooseVersion } from '../../versionChoice';
import { pciNodes, type BhyveConfig } from '../config/config';
import { expandValues, finding, keyFinding } from '../config/findings';
import { guestOf } from '../config/guest';
import { configTree } from '../config/tree';
import { layOut } from '../layout';
import { newestFor } from '../keys/operatingSystem';
import { BHYVE_VERSIONS, type BhyveVersion } from '../versions';
import { findCommands } from './find';
import { parseCommand, type ParsedCommand } from './parse';
import { COMMAND_PROBLEMS, type CommandProblem } from './problems';

export interface BhyveCommandDocument extends Document {
  readonly language: 'bhyve-command';
  /** One for each command. */
  readonly configs: readonly BhyveConfig[];
}

interface Guest {
  readonly config: BhyveConfig;
  readonly machine: Machine;
  readonly problems: readonly Finding[];
}

const LOADERS = /\bbhyveload\b|\bgrub2?-bhyve\b/;
const MOST_COMMANDS = 200;

/** Never throws; commands whose options are not told in full are read as far as they are. */
export function parseBhyveCommands(source: SourceText, context: ParseContext): BhyveCommandDocument {
  const list = { vmm: 'bhyve', versions: BHYVE_VERSIONS, code: 'bhyve-pragma' };
  const commands = findCommands(source.text).slice(0, MOST_COMMANDS);
  const guestsOf = (version: BhyveVersion): Guest[] =>
    commands.map((command) => guest(source, parseCommand(command, version), version, preloaded));
  const preloaded = LOADERS.test(source.text);
  const chosen = chooseVersion(source, context, list, () =>
    newestFor(guestsOf(BHYVE_VERSIONS.at(-1)!).map(({ config }) => config.values)),
  );
  const guests = guestsOf(chosen.version);
  const parts = {
    vmm: 'bhyve',
    chosen,
    machines: withOwnNames(guests.map(({ machine }) => machine)),
    problems: guests.flatMap(({ problems }) => problems),
    outline: () => [],
    links: () => guests.flatMap(({ machine }) => linksOf(machine)),
  };
  return configDocument(source, 'bhyve-command', parts, { configs: guests.map(({ config }) => config) });
}

function guest(source: SourceText, parsed: ParsedCommand, version: BhyveVersion, preloaded: boolean): Guest {
  const tree = configTree(parsed.entries);
  const { values, findings } = expandValues(source, tree);
  const lens = source.at(parsed.command.start, parsed.command.end);
  const described = guestOf(source, values, version, {
    at: source.at(parsed.start, parsed.end),
    unnamed: lens,
    lens,
  });
  const config: BhyveConfig = {
    source,
    version,
    form: 'command',
    entries: parsed.entries,
    values,
    complete: parsed.complete,
    preloaded,
    vcpus: described.guest.vcpus.value,
    memory: described.guest.memory?.value ?? null,
    place: parsed.command,
    devices: pciNodes(values),
  };
  return {
    config,
    machine: {
      ...described.guest,
      vmm: 'bhyve',
      version: version.id,
      regions: layOut(described.guest, version.id),
    },
    problems: [
      ...parsed.problems.map((problem) => commandFinding(source, problem)),
      ...tree.problems.map((problem) => keyFinding(source, problem)),
      ...findings,
      ...described.refused.map(({ entry, message }) =>
        finding(source, 'bhyve-config-number', entry.valueSpan, message),
      ),
    ],
  };
}

function commandFinding(source: SourceText, problem: CommandProblem): Finding {
  const { code, start, end, message, other, remove } = problem;
  return {
    code,
    severity: COMMAND_PROBLEMS[code].severity,
    message,
    at: source.at(start, end),
    ...(other ? { related: [{ at: source.at(other.start, other.end), message: other.message }] } : {}),
    ...(remove
      ? {
          fixes: [
            {
              title: 'Remove this option',
              edits: [
                { uri: source.uri, range: source.lines.rangeAt(remove.start, remove.end), newText: '' },
              ],
            },
          ],
          tags: ['unnecessary' as const],
        }
      : {}),
  };
}

/** A guest of the same name in a second command is another machine: installing it and running it, for one. */
function withOwnNames(machines: readonly Machine[]): Machine[] {
  const counts = new Map<string, number>();
  return machines.map((machine) => {
    const count = (counts.get(machine.name) ?? 0) + 1;
    counts.set(machine.name, count);
    return count === 1 ? machine : { ...machine, name: `${machine.name} (${count})` };
  });
}

function linksOf({ images }: Machine): PathLink[] {
  return images.flatMap(({ path, origin }) =>
    origin.kind === 'text' && path.startsWith('/') && !/[$%]/.test(path)
      ? [{ range: origin.range, path }]
      : [],
  );
}
