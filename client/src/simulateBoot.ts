/**
 * `Bootpath: Simulate Boot`: runs a machine of a config in the server's worker. A second click or an edit ends the run
 * before it. The report goes to the output channel, its findings to a collection of their own; how it ended stands
 * beside the lens, which is the server's doing.
 */
import { randomUUID } from 'node:crypto';
import * as vscode from 'vscode';
import {
  LayoutRequest,
  SimulateRequest,
  type LayoutParams,
  type LayoutResult,
  type SimulateParams,
  type SimulateResult,
} from '../../server/src/protocol';
import { chooseBootAs, chooseCompared, isBootAs, type BootAs } from './bootAs';
import { chooseImage, configuredImage, type BootImage } from './bootImage';
import type { Server } from './languageClient';
import type { ReportChannel } from './reportChannel';
import { diagnosticsByUri } from './wireFindings';

/** What a boot starts, and under which VMM where that is not the config's. */
type BootChoice = BootImage & BootAs;
type Choosing = BootChoice | undefined | Promise<BootChoice | undefined>;

interface Run {
  readonly cancellation: vscode.CancellationTokenSource;
  /** Why it was ended early, for the status bar. */
  endedBy: 'edit' | 'click' | 'person' | null;
}

export function activate(
  context: vscode.ExtensionContext,
  server: Server,
  channel: ReportChannel,
): vscode.DiagnosticCollection {
  const boots = new BootRuns(server, channel);
  /** A keybinding may say itself, as third argument, what else somebody is asked. */
  const run =
    (choose: (uri: vscode.Uri, given: unknown) => Choosing, needsVmm = true) =>
    async (uri?: string | vscode.Uri, machine?: string, given?: unknown) => {
      const target = await boots.target(uri, machine, needsVmm);
      if (!target) return undefined;
      const choice = await choose(target.uri, given);
      return choice ? boots.run(target.uri, target.machine, choice) : undefined;
    };
  const configured =
    (chooseAs: (server: Server, uri: vscode.Uri) => Promise<BootAs | undefined>) =>
    async (uri: vscode.Uri, given: unknown): Promise<BootChoice | undefined> => {
      const as = isBootAs(given) ? given : await chooseAs(server, uri);
      return as && { ...configuredImage(uri), ...as };
    };
  context.subscriptions.push(
    boots,
    vscode.commands.registerCommand('bootpath.simulateBoot', run(configuredImage)),
    vscode.commands.registerCommand('bootpath.simulateBootWith', run(chooseImage)),
    vscode.commands.registerCommand('bootpath.simulateBootAs', run(configured(chooseBootAs), false)),
    vscode.commands.registerCommand('bootpath.compareBoots', run(configured(chooseCompared))),
    vscode.commands.registerCommand(
      'bootpath.showBootReport',
      (uri?: string | vscode.Uri, machine?: string) => boots.showReport(uri, machine),
    ),
  );
  return boots.findings;
}

class BootRuns implements vscode.Disposable {
  readonly findings = vscode.languages.createDiagnosticCollection('bootpath boot');
  private readonly running = new Map<string, Run>();
  private readonly reports = new Map<string, string>();
  private last: string | null = null;
  private readonly onEdit = vscode.workspace.onDidChangeTextDocument(({ document, contentChanges }) => {
    if (contentChanges.length > 0) this.edited(document.uri);
  });

  constructor(
    private readonly server: Server,
    private readonly channel: ReportChannel,
  ) {}

  /** The document and machine that are meant: those of the lens, else the only one, else the person's choice. */
  async target(
    given: string | vscode.Uri | undefined,
    machine: string | undefined,
    needsVmm: boolean,
  ): Promise<{ uri: vscode.Uri; machine: string } | null> {
    const uri = typeof given === 'string' ? vscode.Uri.parse(given) : (given ?? activeUri());
    if (!uri) return null;
    if (typeof machine === 'string') return { uri, machine };
    const params: LayoutParams = { uri: uri.toString() };
    const { machines } = await this.server.request<LayoutResult>(LayoutRequest, params);
    const bootable = needsVmm ? machines.filter(({ vmm }) => vmm !== null) : machines;
    if (bootable.length === 0) {
      void vscode.window.showInformationMessage(
        'Bootpath: this file describes no machine that could be booted.',
      );
      return null;
    }
    const line = vscode.window.activeTextEditor?.selection.active.line ?? 0;
    // The machine that the cursor is in is offered first.
    const near = [...bootable].sort(
      (a, b) => distance(a.range.start.line, line) - distance(b.range.start.line, line),
    );
    const name =
      near.length === 1
        ? near[0]!.name
        : await vscode.window.showQuickPick(
            near.map(({ name }) => name),
            { placeHolder: 'Which machine is to boot?' },
          );
    return name === undefined ? null : { uri, machine: name };
  }

  async run(uri: vscode.Uri, machine: string, choice: BootChoice): Promise<SimulateResult | undefined> {
    const key = uri.toString();
    this.stop(key, 'click');
    const run: Run = { cancellation: new vscode.CancellationTokenSource(), endedBy: null };
    this.running.set(key, run);
    const workDoneToken = randomUUID();
    const params: SimulateParams = { uri: key, machine, ...choice, workDoneToken };
    const progress = {
      location: vscode.ProgressLocation.Notification,
      title: `Booting "${machine}"`,
      cancellable: true,
    };
    try {
      return await vscode.window.withProgress(progress, async (shown, person) => {
        person.onCancellationRequested(() => this.stop(key, 'person'));
        const heard = await this.server.onProgress(workDoneToken, (message) => shown.report({ message }));
        try {
          const result = await this.server.request<SimulateResult>(
            SimulateRequest,
            params,
            run.cancellation.token,
          );
          return this.finished(uri, machine, run, result);
        } finally {
          heard.dispose();
        }
      });
    } catch (error) {
      if (run.endedBy === null)
        void vscode.window.showErrorMessage(`Bootpath: "${machine}" could not be booted: ${reason(error)}`);
      else announce(machine, run);
      return undefined;
    } finally {
      if (this.running.get(key) === run) this.running.delete(key);
      run.cancellation.dispose();
    }
  }

  showReport(given: string | vscode.Uri | undefined, machine: string | undefined): void {
    const key = given === undefined ? this.last : reportKey(String(given), machine ?? '');
    const text = key === null ? undefined : this.reports.get(key);
    if (text !== undefined) this.channel.show(text);
    else void vscode.window.showInformationMessage('Bootpath: nothing has been booted here yet.');
  }

  dispose(): void {
    for (const key of this.running.keys()) this.stop(key, 'person');
    this.findings.dispose();
    this.onEdit.dispose();
  }

  /** Shows the report of a run that was left to its end; there is none of any other. */
  private finished(
    uri: vscode.Uri,
    machine: string,
    run: Run,
    result: SimulateResult,
  ): SimulateResult | undefined {
    if (result.outcome === 'cancelled' || run.endedBy !== null) {
      announce(machine, run);
      return undefined;
    }
    this.last = reportKey(uri.toString(), machine);
    this.reports.set(this.last, result.text);
    this.findings.clear();
    this.findings.set([...diagnosticsByUri('bootpath boot', result.findings)]);
    this.channel.show(result.text);
    return result;
  }

  /** What an earlier text led to is not marked in the new one. */
  private edited(uri: vscode.Uri): void {
    this.stop(uri.toString(), 'edit');
    this.findings.delete(uri);
  }

  private stop(key: string, by: NonNullable<Run['endedBy']>): void {
    const run = this.running.get(key);
    if (!run || run.endedBy !== null) return;
    run.endedBy = by;
    run.cancellation.cancel();
  }
}

const reportKey = (uri: string, machine: string): string => `${machine}\n${uri}`;
const distance = (a: number, b: number): number => (a > b ? (a - b) * 2 + 1 : (b - a) * 2);
const activeUri = (): vscode.Uri | undefined => vscode.window.activeTextEditor?.document.uri;
const reason = (error: unknown): string => (error instanceof Error ? error.message : String(error));

function announce(machine: string, run: Run): void {
  const words = { edit: 'its config was edited', click: 'it was started again', person: 'as you asked' };
  const why = run.endedBy === null ? 'as the server was asked' : words[run.endedBy];
  vscode.window.setStatusBarMessage(`Bootpath: the boot of "${machine}" was ended, ${why}.`, 5000);
}
