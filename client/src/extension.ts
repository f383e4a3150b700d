/** Bootpath in VS Code: each feature is one file with its own `activate`. */
import * as vscode from 'vscode';
import * as addressSpacePanel from './addressSpacePanel';
import * as addressStrip from './addressStrip';
import { Claims } from './claim';
import * as compareLayouts from './compareLayouts';
import * as decodeCrash from './decodeCrash';
import * as exampleConfig from './exampleConfig';
import { Server } from './languageClient';
import * as pictureHover from './pictureHover';
import { ReportChannel } from './reportChannel';
import * as reportLinks from './reportLinks';
import * as silenceCode from './silenceCode';
import * as simulateBoot from './simulateBoot';
import * as simulateImage from './simulateImage';
import * as versionStatus from './versionStatus';

/** What other extensions, and the tests, may ask. */
export interface BootpathApi {
  /** False until the first document that is ours is open. */
  readonly serverRunning: boolean;
}

export function activate(context: vscode.ExtensionContext): BootpathApi {
  const claims = new Claims(context.workspaceState);
  const server = new Server(context, claims);
  const channel = new ReportChannel();
  context.subscriptions.push(claims, server, channel);
  versionStatus.activate(context, server, claims);
  reportLinks.activate(context);
  exampleConfig.activate(context);
  silenceCode.activate(context);
  addressSpacePanel.activate(context, server);
  compareLayouts.activate(context, server, claims);
  pictureHover.activate(context, server, claims);
  addressStrip.activate(context, server, claims);
  const boots = simulateBoot.activate(context, server, channel);
  simulateImage.activate(context, server, channel);
  const crashes = decodeCrash.activate(context, server, claims, channel);
  context.subscriptions.push(
    vscode.commands.registerCommand('bootpath.clearCrashFindings', () => {
      boots.clear();
      crashes.clear();
    }),
  );
  activateContextKey(context, claims);
  claims.start();
  return {
    get serverRunning() {
      return server.running;
    },
  };
}

/**
 * For the menus: `bootpath.document` is what the active editor shows, unset where it is not ours; `bootpath.config` is set
 * where that is the config of a VMM.
 */
function activateContextKey(context: vscode.ExtensionContext, claims: Claims): void {
  const tell = (): void => {
    const document = vscode.window.activeTextEditor?.document;
    const kind = document ? claims.kindOf(document) : null;
    const config = kind !== null && kind !== 'memmap' && kind !== 'crash-dump';
    void vscode.commands.executeCommand('setContext', 'bootpath.document', kind ?? undefined);
    void vscode.commands.executeCommand('setContext', 'bootpath.config', config);
  };
  context.subscriptions.push(claims.onDidClaim(tell), vscode.window.onDidChangeActiveTextEditor(tell));
}
