/** bhyve's command lines in shell scripts as a language of Bootpath. */
import type { Language } from '../../../machine/language';
import { parseBhyveCommands } from './document';
import { recogniseBhyveCommand } from './recognise';

export const bhyveCommand: Language = {
  kind: 'bhyve-command',
  vmm: 'bhyve',
  recognise: recogniseBhyveCommand,
  parse: parseBhyveCommands,
};
