/** The runs of a known issue, as text and as JSON. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { issueRunsJson, issueRunsText, type IssueRun } from '../../../server/src/output/issueRuns';
import { vmdLowmem } from '../../../server/src/vmm/vmd/knownIssues/vmdLowmem';

const STYLE = { pathOf: (uri: string) => uri, width: 80 };

/** A run as far as the list of runs looks at it. */
function run(cell: number, outcome: string, reached: string | null): IssueRun {
  const found = vmdLowmem.simulation!.cells[cell]!;
  const report = { outcome, reason: `The guest ended: ${outcome}.`, faultChain: [] };
  const shown = { issue: vmdLowmem.id, cell: found.name, reached };
  return { cell: found, report: { ...report, shown } as unknown as IssueRun['report'] };
}

const RUNS = [run(0, 'halted', 'CR2 is the first slot of the frame.'), run(1, 'reset', null)];

test('a run that comes to the reported state is marked and says in which way, another one how it ended', () => {
  const lines = issueRunsText(vmdLowmem, RUNS, STYLE).split('\n');
  assert.ok(lines.includes('Runs: 1 of 2 come to the state that the report describes (●)'));
  const [first, second] = RUNS.map(({ cell }) => cell.name);
  assert.equal(lines[lines.indexOf(`  ● ${first}`) + 2], '      CR2 is the first slot of the frame.');
  assert.equal(lines[lines.indexOf(`  ○ ${second}`) + 2], '      The guest ended: reset.');
});

test('what the runs show together is not said where none comes to the reported state', () => {
  const text = (runs: IssueRun[]) => issueRunsText(vmdLowmem, runs, STYLE);
  assert.match(text(RUNS), /Together\n {2}Twelve runs/);
  assert.match(text([run(0, 'vmm-exit', null)]), /Together\n {2}No run comes to it with this guest/);
});

test('the JSON has a cell a run, with the version, the grade and what was reached', () => {
  const { cells } = issueRunsJson(vmdLowmem, RUNS) as { cells: Record<string, unknown>[] };
  assert.deepEqual(
    cells.map(({ outcome, reached }) => [outcome, reached]),
    [
      ['halted', 'CR2 is the first slot of the frame.'],
      ['reset', null],
    ],
  );
  assert.match(String(cells[0]!.vmm), /^vmd@/);
});
