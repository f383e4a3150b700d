/** One bhyve command: getopt(3) over its words, then its name. */
import type { ConfigEntry } from '../config/flatConfig';
import type { BhyveVersion } from '../versions';
import { Argument, positional } from './argument';
import type { FoundCommand } from './find';
import { applyArgument, applyFlag, optionKind, type OptionState } from './options';
import type { CommandProblem } from './problems';
import type { Word } from './words';

export interface ParsedCommand {
  readonly command: Word;
  /** In bhyve's order, the name last. */
  readonly entries: readonly ConfigEntry[];
  readonly problems: readonly CommandProblem[];
  /** False where variables, -k or -r may bring more. */
  readonly complete: boolean;
  /** Half-open, from the word that is bhyve to the last argument. */
  readonly start: number;
  readonly end: number;
}

export function parseCommand({ command, args }: FoundCommand, version: BhyveVersion): ParsedCommand {
  const state: OptionState = { version, entries: [], problems: [], complete: true, slots: new Map() };
  const operands = readOptions(state, args);
  readName(state, command, operands);
  return {
    command,
    entries: state.entries,
    problems: state.problems,
    complete: state.complete,
    start: command.start,
    end: Math.max(command.end, ...args.map(({ end }) => end)),
  };
}

/** What is left behind the options. */
function readOptions(state: OptionState, args: readonly Word[]): readonly Word[] {
  let index = 0;
  while (index < args.length) {
    const word = args[index]!;
    const last = index === args.length - 1;
    // `$OPTIONS` in the middle is options, or nothing.
    if (word.bare && !last) {
      state.complete = false;
      index++;
      continue;
    }
    if (word.text === '--') return args.slice(index + 1);
    if (!word.text.startsWith('-') || word.text === '-') return args.slice(index);
    index += readWord(state, word, args[index + 1]);
  }
  return [];
}

/** `-AHP`, `-c2`, `-c 2`. Returns how many words it took. */
function readWord(state: OptionState, word: Word, next: Word | undefined): number {
  for (let at = 1; at < word.text.length; at++) {
    const letter = word.text[at]!;
    if (letter === '$') {
      state.complete = false;
      return 1;
    }
    const alone = word.text.length === 2;
    const option = alone ? Argument.of(word) : Argument.of(word).slice(at, at + 1);
    const kind = optionKind(letter, state.version);
    if (kind === null) {
      unknownOption(state, letter, option);
      return 1;
    }
    if (kind === 'flag') {
      applyFlag(state, letter, option, alone);
      continue;
    }
    if (at + 1 < word.text.length) {
      applyArgument(state, letter, Argument.of(word, at + 1));
      return 1;
    }
    if (!next) {
      state.problems.push({
        code: 'bhyve-command-option',
        ...option.span,
        message: `\`-${letter}\` needs an argument: bhyve says "option requires an argument" and ends with status 1.`,
      });
      return 1;
    }
    applyArgument(state, letter, Argument.of(next));
    return 2;
  }
  return 1;
}

/** Of options that others have, where they went. */
const REMOVED: Readonly<Record<string, string>> = {
  b: 'The console that it made was removed before FreeBSD 14.',
  g: 'The debug port that it opened was removed before FreeBSD 14; `-G` is the debug server.',
  p: 'illumos binds no vCPUs to CPUs.',
  B: 'It is one of illumos; FreeBSD has the keys `system.…` (-o).',
  d: 'It is one of illumos.',
};

function unknownOption(state: OptionState, letter: string, option: Argument): void {
  state.complete = false;
  const where = REMOVED[letter];
  state.problems.push({
    code: 'bhyve-command-option',
    ...option.span,
    message: `bhyve@${state.version.id} has no option \`-${letter}\`: it prints its usage and ends with status 1.${where === undefined ? '' : ` ${where}`}`,
  });
}

function readName(state: OptionState, command: Word, operands: readonly Word[]): void {
  const [name, second] = operands;
  if (!name) {
    const given = state.entries.some(({ key }) => key === 'name');
    if (given || !state.complete) return;
    state.problems.push({
      code: 'bhyve-command-name',
      start: command.start,
      end: command.end,
      message: 'The command names no VM: bhyve prints its usage and ends with status 1.',
    });
    return;
  }
  state.entries.push(positional('name', Argument.of(name)));
  // With an option that is not told, or not known, the words may be other ones.
  if (!second || !state.complete || operands.some(({ bare }) => bare)) return;
  const option = operands.find(({ text }, index) => index > 0 && /^-[A-Za-z]/.test(text));
  const at = option ?? second;
  state.problems.push({
    code: 'bhyve-command-name',
    start: at.start,
    end: at.end,
    message: `${option ? `Options end at the first word that is none, \`${name.text.slice(0, 40)}\`` : `\`${name.text.slice(0, 40)}\` is the VM’s name, and nothing may stand behind it`}: bhyve prints its usage and ends with status 1.`,
  });
}
