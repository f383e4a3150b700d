/** `bootpath lsp --stdio`: the language server for other editors. */
import { createConnection, ProposedFeatures } from 'vscode-languageserver/node';
import { startServer } from '../server';
import { UsageError, type Command } from './command';

export const lspCommand: Command = {
  name: 'lsp',
  usage: 'lsp --stdio',
  summary: 'the language server, for editors other than VS Code',
  formats: ['text'],
  options: { stdio: { type: 'boolean', help: 'speak over standard input and output' } },
  run(options) {
    if (!options.values.stdio) throw new UsageError('lsp needs --stdio');
    startServer(createConnection(ProposedFeatures.all, process.stdin, process.stdout));
    // Never settles: the connection ends the process with the client's `exit`.
    return new Promise<number>(() => undefined);
  },
};
