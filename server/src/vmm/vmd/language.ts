/** vm.conf(5) as a language of Bootpath. */
import type { Document, Language } from '../../machine/language';
import type { Position } from '../../text/position';
import { completeAt } from './complete';
import { describeAt } from './describe';
import { isVmConfDocument, parseDocument } from './document';
import { recogniseVmConf } from './recognise';

export const vmconf: Language = {
  kind: 'vmconf',
  vmm: 'vmd',
  recognise: recogniseVmConf,
  parse: parseDocument,
  describe: (document: Document, position: Position) =>
    isVmConfDocument(document) ? describeAt(document, position) : null,
  complete: (document: Document, position: Position) =>
    isVmConfDocument(document) ? completeAt(document, position) : [],
};
