/**
 * `Bootpath: Simulate Boot of an Image…`: a kernel, a firmware or a disk without a config boots on the plain PC. The report
 * goes to the output channel.
 */
import { randomUUID } from 'node:crypto';
import * as vscode from 'vscode';
import * as z from 'zod/mini';
import {
  SimulateImageRequest,
  type SimulateImageParams,
  type SimulateResult,
} from '../../server/src/protocol';
import type { Server } from './languageClient';
import type { ReportChannel } from './reportChannel';

/** What is no number that makes sense becomes the default of package.json. */
const Memory = z.catch(z.number().check(z.int(), z.minimum(2), z.maximum(512 * 1024)), 512);
const Cpus = z.catch(z.number().check(z.int(), z.minimum(1), z.maximum(32)), 1);
const MaxInstructions = z.catch(z.number().check(z.int(), z.minimum(1)), 2_000_000_000);

type Asked = Pick<SimulateImageParams, 'commandLine' | 'initrd'>;

export function activate(context: vscode.ExtensionContext, server: Server, channel: ReportChannel): void {
  const command = async (uri?: vscode.Uri): Promise<SimulateResult | undefined> => {
    const image = uri ?? (await chooseFile('Image to boot'));
    if (!image) return undefined;
    const asked = await ask(context.workspaceState, image);
    return asked ? boot(server, channel, image, asked) : undefined;
  };
  context.subscriptions.push(vscode.commands.registerCommand('bootpath.simulateImage', command));
}

/** Linux's files by their usual names: without a word of it Linux writes to a screen, which the machine does not have. */
const LINUX_NAME = /(vmlinu[xz]|bzImage)[^/]*$/i;
const LINUX_CONSOLE = 'console=ttyS0 earlyprintk=ttyS0';

/** The command line, remembered for each image, and the initial RAM disk; undefined where the person turns away. */
async function ask(memento: vscode.Memento, image: vscode.Uri): Promise<Asked | undefined> {
  const key = `bootpath.commandLine ${image.fsPath}`;
  const commandLine = await vscode.window.showInputBox({
    title: 'Command line of the kernel',
    prompt: 'Nothing for a firmware or a disk',
    placeHolder: 'console=ttyS0',
    value: memento.get<string>(key) ?? (LINUX_NAME.test(image.path) ? LINUX_CONSOLE : ''),
  });
  if (commandLine === undefined) return undefined;
  await memento.update(key, commandLine);
  const plain = { label: '$(play) Boot' };
  const withDisk = { label: '$(file-binary) Boot with an initial RAM disk…' };
  const row = await vscode.window.showQuickPick([plain, withDisk], { placeHolder: image.fsPath });
  if (!row) return undefined;
  if (row === plain) return { commandLine, initrd: null };
  const initrd = await chooseFile('Initial RAM disk');
  return initrd && { commandLine, initrd: initrd.fsPath };
}

async function chooseFile(title: string): Promise<vscode.Uri | undefined> {
  const files = await vscode.window.showOpenDialog({ canSelectMany: false, openLabel: 'Boot', title });
  return files?.[0];
}

async function boot(
  server: Server,
  channel: ReportChannel,
  image: vscode.Uri,
  asked: Asked,
): Promise<SimulateResult | undefined> {
  const settings = vscode.workspace.getConfiguration('bootpath.simulate.image', image);
  const workDoneToken = randomUUID();
  const params: SimulateImageParams = {
    path: image.fsPath,
    ...asked,
    memory: Memory.parse(settings.get('memory')),
    vcpus: Cpus.parse(settings.get('cpus')),
    maxInstructions: MaxInstructions.parse(settings.get('maxInstructions')),
    workDoneToken,
  };
  const progress = {
    location: vscode.ProgressLocation.Notification,
    title: `Booting "${image.fsPath}"`,
    cancellable: true,
  };
  try {
    return await vscode.window.withProgress(progress, async (shown, person) => {
      const heard = await server.onProgress(workDoneToken, (message) => shown.report({ message }));
      try {
        const result = await server.request<SimulateResult>(SimulateImageRequest, params, person);
        if (result.outcome === 'cancelled') return undefined;
        channel.show(result.text);
        return result;
      } finally {
        heard.dispose();
      }
    });
  } catch (error) {
    if (!(error instanceof vscode.CancellationError)) {
      const why = error instanceof Error ? error.message : String(error);
      void vscode.window.showErrorMessage(`Bootpath: the image could not be booted: ${why}`);
    }
    return undefined;
  }
}
