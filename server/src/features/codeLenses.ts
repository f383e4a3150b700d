/** `▶ Simulate boot`, `as…` and `Show address space` on each machine, and how its last simulation ended. */
import type { CodeLens } from 'vscode-languageserver-types';
import type { Document } from '../machine/language';
import type { Machine } from '../machine/machine';

/** Commands of the client; each takes `[uri, machine name]`. */
const LENS_COMMANDS = {
  simulate: 'bootpath.simulateBoot',
  simulateAs: 'bootpath.simulateBootAs',
  addressSpace: 'bootpath.showAddressSpace',
  report: 'bootpath.showBootReport',
} as const;

/** The last simulation of a machine, in a few words. */
export interface LensOutcome {
  readonly summary: string;
  /** The text has changed since. */
  readonly stale: boolean;
}

/**
 * Lenses straight from the parse, in the order of the text: they neither move nor change their number while something
 * else in the text is edited. A bare memory map boots only as a VMM that the user picks.
 */
export function codeLenses(document: Document, outcomes: ReadonlyMap<string, LensOutcome>): CodeLens[] {
  const { uri } = document.source;
  return document.machines.flatMap((machine) => {
    const range = rangeOf(machine, uri);
    if (!range) return [];
    const args = [uri, machine.name];
    const lens = (title: string, command: string): CodeLens => ({
      range,
      command: { title, command, arguments: args },
    });
    const lenses: CodeLens[] = [];
    if (machine.vmm ?? document.choice) {
      lenses.push(lens('▶ Simulate boot', LENS_COMMANDS.simulate), lens('as…', LENS_COMMANDS.simulateAs));
    } else if (machine.regions.length > 0) {
      lenses.push(lens('▶ Simulate boot as…', LENS_COMMANDS.simulateAs));
    }
    if (machine.regions.length > 0 || machine.vmm !== null)
      lenses.push(lens('Show address space', LENS_COMMANDS.addressSpace));
    const outcome = outcomes.get(machine.name);
    if (outcome) {
      lenses.push(
        lens(outcome.summary + (outcome.stale ? ' (before the last edit)' : ''), LENS_COMMANDS.report),
      );
    }
    return lenses;
  });
}

function rangeOf(machine: Machine, uri: string) {
  const at = machine.nameAt ?? machine.at;
  if (at?.uri !== uri) return null;
  // A lens belongs to a line; a range that spans lines would move with its end.
  return {
    start: at.range.start,
    end: at.range.start.line === at.range.end.line ? at.range.end : at.range.start,
  };
}
