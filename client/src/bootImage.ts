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

/** Asks for a ROM, a kernel or the probe guest; undefined where the person turns away. */
export async function chooseImage(uri: vscode.Uri): Promise<BootImage | undefined> {
  const configured = configuredImage(uri);
  const rows: (vscode.QuickPickItem & { role: 'firmware' | 'kernel' | 'probe' })[] = [
    {
      role: 'probe',
      label: '$(beaker) Probe guest',
      description: 'does what a kernel does on its boot path',
    },
    {
      role: 'firmware',
      label: '$(chip) Firmware image…',
      description: configured.firmware ?? 'a ROM, such as SeaBIOS',
    },
    {
      role: 'kernel',
      label: '$(file-binary) Kernel image…',
      description: configured.kernel ?? 'an ELF or a bzImage',
    },
  ];
  const row = await vscode.window.showQuickPick(rows, { placeHolder: 'What is the machine to boot?' });
  if (!row) return undefined;
  const none = { ...configured, firmware: null, kernel: null };
  if (row.role === 'probe') return none;
  const files = await vscode.window.showOpenDialog({
    canSelectMany: false,
    openLabel: 'Boot',
    title: row.role === 'firmware' ? 'Firmware image to boot' : 'Kernel image to boot',
  });
  const path = files?.[0]?.fsPath;
  return path === undefined ? undefined : { ...none, [row.role]: path };
}

function expand(path: string, uri: vscode.Uri): string {
  const folder = vscode.workspace.getWorkspaceFolder(uri) ?? vscode.workspace.workspaceFolders?.[0];
  return folder ? path.replaceAll('${workspaceFolder}', folder.uri.fsPath) : path;
}
