/** The `bootpath` command line. Exit codes: 0 clean, 1 findings or a missed expectation, 2 bad usage or unreadable input, 130 a boot that Ctrl-C ended. */
import { parseArgs } from 'node:util';
import { version } from '../../package.json';
import { checkCommand } from './cli/check';
import { UsageError, type Command, type Terminal } from './cli/command';
import { decodeCommand } from './cli/decode';
import { explainCommand } from './cli/explain';
import { layoutCommand } from './cli/layout';
import { lspCommand } from './cli/lsp';
import { simulateCommand } from './cli/simulate';
import { testCommand } from './cli/test';
import { versionsCommand } from './cli/versions';
import { withoutControls } from './output/terminalText';
import { bootpathService } from './service';

const COMMANDS: readonly Command[] = [
  checkCommand(version),
  layoutCommand,
  simulateCommand,
  decodeCommand,
  explainCommand,
  testCommand,
  versionsCommand,
  lspCommand,
];

const terminal: Terminal = {
  out: (text) => process.stdout.write(withoutControls(text)),
  note: (text) => process.stderr.write(withoutControls(text) + '\n'),
  service: bootpathService,
};

function help(): string {
  const rows = COMMANDS.map(({ usage, summary }) => `  bootpath ${usage}\n      ${summary}`);
  return [
    'bootpath: see why a guest dies before its first console line',
    '',
    ...rows,
    '',
    '--format text|json (check also sarif, layout also svg, test also junit); "-" reads standard input; COMMAND --help tells its options.',
    'Exit code 0: clean. 1: errors found, the boot failed, or it missed an expectation. 2: bad usage or unreadable input. 130: Ctrl-C.',
    '',
  ].join('\n');
}

function commandHelp({ usage, summary, options, formats }: Command): string {
  const rows = Object.entries(options).map(
    ([name, { type, help }]) => `  --${name}${type === 'string' ? ' VALUE' : ''}\n      ${help}`,
  );
  return [`bootpath ${usage}`, `    ${summary}`, ...rows, `  --format ${formats.join('|')}`, ''].join('\n');
}

async function main(argv: readonly string[]): Promise<number> {
  const [name, ...rest] = argv;
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    terminal.out(help());
    return name === undefined ? 2 : 0;
  }
  if (name === '--version') {
    terminal.out(version + '\n');
    return 0;
  }
  const command = COMMANDS.find((candidate) => candidate.name === name);
  if (!command) throw new UsageError(`there is no command "${name}" (bootpath --help lists them)`);
  const { values, positionals } = parse(command, rest);
  if (values.help) {
    terminal.out(commandHelp(command));
    return 0;
  }
  const format = values.format;
  if (format !== undefined && !command.formats.includes(format)) {
    throw new UsageError(`${name} prints ${command.formats.join(', ')}, not "${String(format)}"`);
  }
  return command.run({ values, arguments: positionals }, terminal);
}

function parse(command: Command, argv: readonly string[]) {
  const options = Object.fromEntries(
    Object.entries(command.options).map(([key, { type, multiple }]) => [
      key,
      { type, ...(multiple ? { multiple } : {}) },
    ]),
  );
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: { ...options, format: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
    });
  } catch (error) {
    throw new UsageError(`${command.name}: ${(error as Error).message}`);
  }
}

// A closed pipe (`bootpath … | head`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 2));

main(process.argv.slice(2)).then(
  (code) => {
    // Not process.exit: what was written to a pipe must get out first.
    process.exitCode = code;
  },
  (error: unknown) => {
    terminal.note(
      `bootpath: ${error instanceof UsageError ? error.message : String((error as Error).stack ?? error)}`,
    );
    process.exitCode = 2;
  },
);
