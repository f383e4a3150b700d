/** A config file of QEMU as a Document, with what was read for the rooms that know QEMU. */
import type { Document, OutlineNode, ParseContext, PathLink } from '../../../machine/language';
import type { SourceText } from '../../../text/sourceText';
import { configDocument } from '../../configDocument';
import { chooseVersion } from '../../versionChoice';
import { PC_VERSION } from '../origin';
import { endOf, isPlainPc, machinesOf } from './machine';
import { readQemuConfig, type ConfigGroup, type QemuConfig } from './read';

export interface QemuConfigDocument extends Document {
  readonly language: 'qemu-config';
  readonly config: QemuConfig;
}

export function isQemuConfigDocument(document: Document): document is QemuConfigDocument {
  return document.language === 'qemu-config';
}

/** Reads a file. Never throws: what QEMU would stumble over is in `config.problems`. */
export function parseQemuConfig(source: SourceText, context: ParseContext): QemuConfigDocument {
  const list = { vmm: 'pc', versions: [PC_VERSION], code: 'config-pragma' };
  const config = readQemuConfig(source.text);
  const parts = {
    // A machine of another type is none that is modelled.
    vmm: isPlainPc(config) ? 'pc' : null,
    chosen: chooseVersion(source, context, list),
    machines: machinesOf(source, config),
    problems: [],
    outline: () => config.groups.map((group) => outlineOf(source, group)),
    links: () => pathLinks(source, config),
  };
  return configDocument(source, 'qemu-config', parts, { config });
}

function outlineOf(source: SourceText, group: ConfigGroup): OutlineNode {
  const { name, id, pairs } = group;
  const what = pairs.find(({ key }) => /^(?:driver|type|backend|qom-type|size|cpus|guest)$/.test(key.text));
  return {
    name: (id ? `${name.text} ${id.text}` : name.text).slice(0, 200) || '(no name)',
    detail: (what?.value.text ?? '').slice(0, 200),
    kind: name.text === 'machine' ? 'machine' : 'switch',
    range: source.lines.rangeAt(group.start, endOf(group)),
    nameRange: source.lines.rangeAt(name.start, name.end),
    children: pairs.map(({ key, value, start, end }) => ({
      name: key.text.slice(0, 200),
      detail: value.text.slice(0, 200),
      kind: 'option',
      range: source.lines.rangeAt(start, end),
      nameRange: source.lines.rangeAt(key.start, key.end),
      children: [],
    })),
  };
}

/** Files of the host: images, the kernel with what goes with it, firmware. */
function pathLinks(source: SourceText, { groups }: QemuConfig): PathLink[] {
  return groups.flatMap(({ name, pairs }) =>
    pairs
      .filter(
        ({ key, value }) =>
          value.text.startsWith('/') &&
          ((name.text === 'drive' && key.text === 'file') ||
            (name.text === 'machine' && /^(?:kernel|initrd|firmware|dtb)$/.test(key.text))),
      )
      .map(({ value }) => ({ range: source.lines.rangeAt(value.start, value.end), path: value.text })),
  );
}
