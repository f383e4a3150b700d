/** Machines with their regions as plain data for the pictures: addresses are lower-case hex strings. */
import { hex } from '../address/format';
import { shownMachines, type Document } from '../machine/language';
import { levelOf, type Machine, type Region } from '../machine/machine';
import type { WireMachine, WireRegion } from '../machine/wire';
import type { Position, TextRange } from '../text/position';
import { regionsByLine } from './lineRegions';

/** A machine at a place, and which of its regions that place produced. */
export interface MachineAt {
  readonly machine: WireMachine;
  /** Indices into `machine.regions`. */
  readonly selected: readonly number[];
}

const START: TextRange = { start: { line: 0, character: 0 }, end: { line: 0, character: 0 } };

function wireRegion(region: Region): WireRegion {
  return {
    start: hex(region.range.start),
    end: hex(region.range.end),
    kind: region.kind,
    name: region.name,
    permissions: region.permissions,
    reason: region.reason,
    uri: region.at?.uri ?? null,
    range: region.at?.range ?? null,
    approximate: region.approximate ?? false,
    ...(levelOf(region) > 0 ? { level: levelOf(region) } : {}),
  };
}

function wireMachine(machine: Machine, document: Document): WireMachine {
  const at = machine.nameAt ?? machine.at;
  return {
    name: machine.name,
    vmm: machine.vmm === null ? null : machine.vmm + (machine.version === null ? '' : `@${machine.version}`),
    regions: machine.regions.map(wireRegion),
    uri: at?.uri ?? document.source.uri,
    range: at?.range ?? START,
  };
}

export function wireMachines(document: Document): WireMachine[] {
  return shownMachines(document).map((machine) => wireMachine(machine, document));
}

/** The machine whose region comes from the position's line, else whose name stands on it; null where there is none. */
export function machineAtPosition(document: Document, position: Position): MachineAt | null {
  const row = regionsByLine(document).get(position.line)?.[0];
  if (row) return { machine: wireMachine(row.machine, document), selected: row.indices };
  const named = document.machines.find(
    ({ nameAt, at }) =>
      (nameAt ?? at)?.uri === document.source.uri && (nameAt ?? at)?.range.start.line === position.line,
  );
  return named ? { machine: wireMachine(named, document), selected: [] } : null;
}
