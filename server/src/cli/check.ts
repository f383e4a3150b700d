/** `bootpath check FILE…`: what is wrong with configs and memory maps. */
import { existsSync } from 'node:fs';
import { checkJson, checkSarif, checkText, type CheckedFile } from '../output/findings';
import { json, stringOption, UsageError, type Command } from './command';
import { choiceOf, openDocument, pathOf } from './inputs';

const DOCS = 'https://github.com/bootpath/bootpath/blob/main/docs/checks/';

export function checkCommand(version: string): Command {
  return {
    name: 'check',
    usage: 'check FILE… [--as VMM[@VERSION]] [--check-host]',
    summary: 'what is wrong with configs and memory maps',
    formats: ['text', 'json', 'sarif'],
    options: {
      as: { type: 'string', help: 'the VMM and version to read the files for' },
      'check-host': { type: 'boolean', help: 'also report images that this host does not have' },
    },
    run(options, { out, note, service }) {
      if (options.arguments.length === 0) throw new UsageError('check needs a file');
      const choice = choiceOf(service, stringOption(options, 'as'));
      const files = options.arguments.map((file): CheckedFile => {
        const document = openDocument(service, file, choice);
        if (!document) {
          note(`${file}: not recognised as a VM config or a memory map`);
          return { file, language: null, vmm: null, findings: [] };
        }
        const vmm = document.choice ? `${document.choice.vmm}@${document.choice.version}` : null;
        const asked = options.values['check-host'] ? service.imagePaths(document) : [];
        const missing = new Set(asked.filter((path) => !existsSync(path)));
        return { file, language: document.language, vmm, findings: service.findings(document, {}, missing) };
      });
      const format = stringOption(options, 'format');
      if (format === 'json') out(json(checkJson(files, pathOf)));
      else if (format === 'sarif')
        out(json(checkSarif(files, pathOf, version, (code) => `${DOCS}${code}.md`)));
      else out(checkText(files, pathOf));
      if (files.every(({ language }) => language === null)) return Promise.resolve(2);
      const errors = files.some(({ findings }) => findings.some(({ severity }) => severity === 'error'));
      return Promise.resolve(errors ? 1 : 0);
    },
  };
}
