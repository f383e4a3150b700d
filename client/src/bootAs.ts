/** Under which VMM a machine is booted, or beside which, or which known issue is shown with it: the person's pick. */
import * as vscode from 'vscode';
import * as z from 'zod/mini';
import {
  ModelsRequest,
  StatusRequest,
  type ModelsResult,
  type SimulateParams,
  type StatusParams,
  type StatusResult,
} from '../../server/src/protocol';
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
export async function chooseBootAs(server: Server, uri: vscode.Uri): Promise<BootAs | undefined> {
  const [own, ...others] = await modelsFor(server, uri);
  if (!own) return undefined;
  const rows: Row[] = [
    ...versionRows([own], (as) => ({ as })),
    ...issueRows([own]),
    ...versionRows(others, (as) => ({ as })),
    ...issueRows(others),
  ];
  return pick(rows, 'Under which VMM is the machine to boot?');
}

/** Undefined where the person turns away. */
export async function chooseCompared(server: Server, uri: vscode.Uri): Promise<BootAs | undefined> {
  const rows = versionRows(await modelsFor(server, uri), (compare) => ({ compare }));
  return pick(rows, 'Beside which VMM? The report says at which access the two boots part.');
}

/** All models, that of the document's own VMM first. */
async function modelsFor(server: Server, uri: vscode.Uri): Promise<ModelsResult['models']> {
  const params: StatusParams = { uri: uri.toString() };
  const [{ models }, { vmm }] = await Promise.all([
    server.request<ModelsResult>(ModelsRequest, {}),
    server.request<StatusResult>(StatusRequest, params),
  ]);
  return [...models.filter(({ name }) => name === vmm), ...models.filter(({ name }) => name !== vmm)];
}

function issueRows(models: ModelsResult['models']): Row[] {
  const issues = models.flatMap(({ knownIssues }) => knownIssues);
  if (issues.length === 0) return [];
  return [
    { label: 'known issues, with this machine', kind: vscode.QuickPickItemKind.Separator },
    ...issues.map(({ id, title }): Row => ({
      label: `$(bug) ${id}`,
      description: title,
      boot: { knownIssue: id },
    })),
  ];
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
