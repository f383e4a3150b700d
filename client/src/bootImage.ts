/** What a simulated boot starts: images and options from the settings, or as the person picks. */
import * as vscode from 'vscode';
import * as z from 'zod/mini';
import type { SimulateParams } from '../../server/src/protocol';

export type BootImage = Pick<SimulateParams, 'firmware' | 'kernel' | 'probe' | 'taps' | 'maxInstructions'>;

const DEFAULT_INSTRUCTIONS = 200_000_000;
const Text = z.string();
const Taps = z.array(z.string().check(z.regex(/^0x[0-9a-f]{1,4}$/i)));
const Instructions = z.number().check(z.gte(1), z.lte(Number.MAX_SAFE_INTEGER));

/** The settings' choice; invalid values are as good as absent ones. */
export function configuredImage(uri: vscode.Uri): BootImage {
  const settings = vscode.workspace.getConfiguration('bootpath.simulate', uri);
  const text = (name: string): string | null => {
    const parsed = Text.safeParse(settings.get(name));
    return parsed.success && parsed.data.trim() !== '' ? expand(parsed.data.trim(), uri) : null;
  };
  const taps = Taps.safeParse(settings.get('taps'));
  const instructions = Instructions.safeParse(settings.get('maxInstructions'));
  return {
    firmware: text('firmware'),
    kernel: text('kernel'),
    probe: text('probe'),
    taps: taps.success ? taps.data.map(Number) : [],
    maxInstructions: instructions.success ? Math.floor(instructions.data) : DEFAULT_INSTRUCTIONS,
  };
}

type Row = vscode.QuickPickItem & {
  readonly image?: Partial<BootImage>;
  readonly ask?: 'firmware' | 'kernel';
};

/** Asks for a ROM, a kernel or one of the probe guests; undefined where the person turns away. */
export async function chooseImage(uri: vscode.Uri): Promise<BootImage | undefined> {
  const configured = configuredImage(uri);
  const { PROBES } = await import('../../server/src/simulation/probes/probes');
  const rows: Row[] = [
    { label: 'images', kind: vscode.QuickPickItemKind.Separator },
    { ask: 'firmware', label: '$(chip) Firmware image…', detail: 'A ROM, such as SeaBIOS’s bios-256k.bin' },
    { ask: 'kernel', label: '$(file-binary) Kernel image…', detail: 'An ELF, loaded as the VMM loads one' },
    { label: 'probe guests', kind: vscode.QuickPickItemKind.Separator },
    ...PROBES.map(({ name, title, checks }): Row => ({
      image: { probe: name },
      label: `$(beaker) ${title}`,
      description: name,
      detail: checks,
    })),
  ];
  for (const role of ['firmware', 'kernel'] as const) {
    const path = configured[role];
    if (path !== null)
      rows.splice(1, 0, { image: { [role]: path }, label: `$(history) ${path}`, description: role });
  }
  const row = await vscode.window.showQuickPick(rows, {
    placeHolder: 'What is the machine to boot?',
    matchOnDescription: true,
    matchOnDetail: true,
  });
  if (!row) return undefined;
  const nothing = { ...configured, firmware: null, kernel: null, probe: null };
  if (row.ask === undefined) return { ...nothing, ...row.image };
  const files = await vscode.window.showOpenDialog({
    canSelectMany: false,
    openLabel: 'Boot',
    title: row.ask === 'firmware' ? 'Firmware image to boot' : 'Kernel image to boot',
  });
  const path = files?.[0]?.fsPath;
  return path === undefined ? undefined : { ...nothing, [row.ask]: path };
}

function expand(path: string, uri: vscode.Uri): string {
  const folder = vscode.workspace.getWorkspaceFolder(uri) ?? vscode.workspace.workspaceFolders?.[0];
  return folder ? path.replaceAll('${workspaceFolder}', folder.uri.fsPath) : path;
}
