/** Bootpath in VS Code: each feature is one file with its own `activate`. */
import type * as vscode from 'vscode';
import { Claims } from './claim';
import { Server } from './languageClient';

/** What other extensions, and the tests, may ask. */
export interface BootpathApi {
  /** False until the first document that is ours is open. */
  readonly serverRunning: boolean;
}

export function activate(context: vscode.ExtensionContext): BootpathApi {
  const claims = new Claims(context.workspaceState);
  const server = new Server(context, claims);
  context.subscriptions.push(claims, server);
  claims.start();
  return {
    get serverRunning() {
      return server.running;
    },
  };
}
