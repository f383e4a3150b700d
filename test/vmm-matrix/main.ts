/** The matrix as Markdown or JSON, on standard output. */
import { PROBES } from '../../server/src/simulation/probes/probes';
import { VMM_MODELS } from '../../server/src/vmm/models';
import type { VmmModel } from '../../server/src/vmm/model';
import { LARGE_MEMORY, MEMORY, runVersion, VCPUS, type Cell } from './matrix';

interface Row {
  /** Versions with the same cells, which stand behind one another. */
  readonly versions: string[];
  readonly cells: readonly Cell[];
}

function rowsOf(model: VmmModel): Row[] {
  const rows: Row[] = [];
  for (const version of model.versions) {
    const cells = runVersion(model, version);
    const last = rows.at(-1);
    const same = last?.cells.every(({ text }, index) => text === cells[index]!.text);
    if (last && same) last.versions.push(version.id);
    else rows.push({ versions: [version.id], cells });
  }
  return rows;
}

const sizeOf = (bytes: bigint): string => `${bytes >> 30n} GiB`;

function markdown(): string {
  const lines = [
    '# Every probe on every VMM',
    '',
    'Written by `npm run vmm:matrix`; do not edit.',
    '',
    `One guest with ${sizeOf(MEMORY)} and ${VCPUS} vCPUs (\`reset-high-memory\`: ${sizeOf(LARGE_MEMORY)}) is laid out and booted as each version of each VMM does it. A cell is the outcome of the run, with the exit status of the VMM's process where its source says so, and behind the colon the status with which the probe ended ([probes.md](probes.md) says what it means). Versions that differ in no cell share a row. VMMs that start kernels alone get the probe's ROM image as a kernel.`,
    '',
  ];
  for (const model of VMM_MODELS) {
    lines.push(`## ${model.title}`, '');
    lines.push(`| probe | ${model.versions.length === 1 ? '' : ''}${rowTitles(model).join(' | ')} |`);
    const rows = rowsByModel.get(model)!;
    lines.push(`| --- | ${rows.map(() => '---').join(' | ')} |`);
    PROBES.forEach(({ name }, index) => {
      lines.push(`| \`${name}\` | ${rows.map(({ cells }) => cells[index]!.text).join(' | ')} |`);
    });
    lines.push('');
  }
  return lines.join('\n');
}

const rowsByModel = new Map(VMM_MODELS.map((model) => [model, rowsOf(model)]));

function rowTitles(model: VmmModel): string[] {
  return rowsByModel
    .get(model)!
    .map(({ versions }) => (versions.length === 1 ? versions[0]! : `${versions[0]} to ${versions.at(-1)}`));
}

function json(): string {
  const models = VMM_MODELS.map((model) => ({
    name: model.name,
    rows: rowsByModel.get(model)!.map(({ versions, cells }) => ({
      versions,
      cells: Object.fromEntries(cells.map(({ probe, text }) => [probe, text])),
    })),
  }));
  return JSON.stringify({ models }, null, 2);
}

console.log(process.argv.includes('--json') ? json() : markdown());
