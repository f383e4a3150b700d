/** `bootpath decode DUMP`: what a crash says, and where in the configs its addresses lie. */
import { decode } from '../crash/decode';
import { crashReportJson, crashReportText } from '../output/crashReport';
import { json, listOption, stringOption, UsageError, type Command } from './command';
import { choiceOf, openDocument, pathOf, readSource, terminalStyle } from './inputs';

export const decodeCommand: Command = {
  name: 'decode',
  usage: 'decode DUMP [--config FILE]… [--as VMM[@VERSION]]',
  summary: 'what a crash says, and which config line its addresses lead to',
  formats: ['text', 'json'],
  options: {
    config: {
      type: 'string',
      multiple: true,
      help: 'a config or memory map to locate addresses in (repeatable)',
    },
    as: { type: 'string', help: 'the VMM and version to read the configs for' },
  },
  run(options, { out, note, service }) {
    const [dump, ...rest] = options.arguments;
    if (dump === undefined || rest.length > 0) throw new UsageError('decode takes one dump');
    const choice = choiceOf(service, stringOption(options, 'as'));
    const documents = listOption(options, 'config').flatMap((file) => {
      const document = openDocument(service, file, choice);
      if (!document) note(`${file}: not recognised as a VM config or a memory map`);
      return document ? [document] : [];
    });
    const report = decode(readSource(dump), {
      machines: documents.flatMap(({ machines }) => machines),
      documents,
    });
    out(
      stringOption(options, 'format') === 'json'
        ? json(crashReportJson(report, pathOf))
        : crashReportText(report, terminalStyle()),
    );
    return Promise.resolve(report.crashes.length > 0 ? 0 : 1);
  },
};
