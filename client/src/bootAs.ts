/** Under which VMM a machine is booted, or beside which, or which known issue is shown with it: the person's pick. */
import * as vscode from 'vscode';
import * as z from 'zod/mini';
import { ModelsRequest, type ModelsResult, type SimulateParams } from '../../server/src/protocol';
import type { Server } from './languageClient';

export type BootAs = Pick<SimulateParams, 'as' | 'compare' | 'knownIssue'>;

/** The shape alone; the server knows which versions there are. */
export function isBootAs(value: unknown): value is BootAs {
  return Given.safeParse(value).success;
}

const choice = z.object({ vmm: z.string(), version: z.string() });
const Given = z.union([
  z.object({ as: choice }),
  z.object({ compare: choice }),
  z.object({ knownIssue: z.string() }),
]);

type Row = vscode.QuickPickItem & { readonly boot?: BootAs };

/** Undefined where the person turns away. */
export async function chooseBootAs(server: Server): Promise<BootAs | undefined> {
  const { models } = await server.request<ModelsResult>(ModelsRequest, {});
  const issues = models.flatMap(({ knownIssues }) => knownIssues);
  const rows: Row[] = [
    ...versionRows(models, (as) => ({ as })),
    { label: 'known issues, with this machine', kind: vscode.QuickPickItemKind.Separator },
    ...issues.map(({ id, title }): Row => ({
      label: `$(bug) ${id}`,
      description: title,
      boot: { knownIssue: id },
    })),
  ];
  return pick(rows, 'Under which VMM is the machine to boot?');
}

/** Undefined where the person turns away. */
export async function chooseCompared(server: Server): Promise<BootAs | undefined> {
  const { models } = await server.request<ModelsResult>(ModelsRequest, {});
  const rows = versionRows(models, (compare) => ({ compare }));
  return pick(rows, 'Beside which VMM? The report says at which access the two boots part.');
}

async function pick(rows: readonly Row[], placeHolder: string): Promise<BootAs | undefined> {
  const row = await vscode.window.showQuickPick(rows, { placeHolder, matchOnDescription: true });
  return row?.boot;
}

/** Each VMM with its newest version first. */
function versionRows(
  models: ModelsResult['models'],
  bootOf: (choice: { vmm: string; version: string }) => BootAs,
): Row[] {
  return models.flatMap(({ name, title, versions }): Row[] => [
    { label: title, kind: vscode.QuickPickItemKind.Separator },
    ...[...versions].reverse().map((version): Row => ({
      label: `${name}@${version.id}`,
      description: version.title,
      boot: bootOf({ vmm: name, version: version.id }),
    })),
  ]);
}
