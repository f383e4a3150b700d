/** `bootpath lsp --stdio`: the language server for other editors. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { UsageError, type Command } from './command';

export const lspCommand: Command = {
  name: 'lsp',
  usage: 'lsp --stdio',
  summary: 'the language server, for editors other than VS Code',
  formats: ['text'],
  options: { stdio: { type: 'boolean', help: 'speak over standard input and output' } },
  async run(options) {
    if (!options.values.stdio) throw new UsageError('lsp needs --stdio');
    // The program beside this one, so that other commands do not read it. It finds --stdio among the arguments.
    await import(pathToFileURL(join(__dirname, 'server.js')).href);
    // Never settles: the connection ends the process with the client's `exit`.
    return new Promise<number>(() => undefined);
  },
};
