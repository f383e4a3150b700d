/** `bootpath lsp --stdio`: the language server for other editors. */
import { UsageError, type Command } from './command';

export const lspCommand: Command = {
  name: 'lsp',
  usage: 'lsp --stdio',
  summary: 'the language server, for editors other than VS Code',
  formats: ['text'],
  options: { stdio: { type: 'boolean', help: 'speak over standard input and output' } },
  async run(options) {
    if (!options.values.stdio) throw new UsageError('lsp needs --stdio');
    // The other commands start faster without them.
    const { createConnection, ProposedFeatures } = await import('vscode-languageserver/node');
    const { startServer } = await import('../server');
    startServer(createConnection(ProposedFeatures.all, process.stdin, process.stdout));
    // Never settles: the connection ends the process with the client's `exit`.
    return new Promise<number>(() => undefined);
  },
};
