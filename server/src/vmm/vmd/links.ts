/** Links from a vm.conf to the files that it names. */
import type { PathLink } from '../../machine/language';
import type { SourceText } from '../../text/sourceText';
import { statementsOf, type VmdConfig } from './config';
import type { Text } from './syntax';

/** Includes, disks, boot images and CDs that stand in the document itself, with paths as vmd joins them. */
export function pathLinks(config: VmdConfig, source: SourceText): PathLink[] {
  const links: PathLink[] = [];
  const add = (path: Text): void => {
    if (!path.known || path.text === '' || path.source !== source) return;
    // The quotes are not part of the link.
    const [first] = path.parts;
    const quotes = path.parts.length === 1 && first!.quoted && first!.macro === null ? 1 : 0;
    if (path.end - path.start <= 2 * quotes) return;
    links.push({ range: source.lines.rangeAt(path.start + quotes, path.end - quotes), path: path.text });
  };
  for (const include of statementsOf(config, 'include')) add(include.path);
  for (const vm of config.vms) {
    for (const option of vm.block.options) {
      if (option.kind === 'disk' || option.kind === 'boot' || option.kind === 'cdrom') add(option.path);
    }
  }
  return links;
}
