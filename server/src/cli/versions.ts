/** `bootpath versions [VMM]`: the VMM models and their versions. */
import type { VmmVersion } from '../vmm/model';
import { VMM_MODELS } from '../vmm/models';
import { json, stringOption, UsageError, type Command } from './command';

export const versionsCommand: Command = {
  name: 'versions',
  usage: 'versions [VMM]',
  summary: 'the VMM models and their versions, oldest first',
  formats: ['text', 'json'],
  options: {},
  run(options, { out }) {
    const [name] = options.arguments;
    const models = VMM_MODELS.filter((model) => name === undefined || model.name === name);
    if (models.length === 0) throw new UsageError(`there is no model of "${name}"`);
    if (stringOption(options, 'format') === 'json') {
      // A model keeps its own facts beside these fields, addresses among them.
      const rows = (versions: readonly VmmVersion[]) =>
        versions.map(({ id, title, source }) => ({ id, title, source }));
      out(json({ vmms: models.map(({ name, versions }) => ({ name, versions: rows(versions) })) }));
      return Promise.resolve(0);
    }
    for (const { name, title, versions } of models) {
      out(`${title}\n`);
      for (const version of versions)
        out(`  ${name}@${version.id}\n      ${version.title}\n      ${version.source}\n`);
    }
    return Promise.resolve(0);
  },
};
