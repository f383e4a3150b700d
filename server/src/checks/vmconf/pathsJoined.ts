/** Two paths on one line: vmd joins adjacent strings to a single path. */
import type { Text, VmOption } from '../../vmm/vmd/syntax';
import type { Token } from '../../vmm/vmd/lexer';
import { indentOf } from '../../vmm/vmd/cursor';
import { at, replace, vmconfCheck } from './vmconfCheck';
import type { Fix } from '../../text/finding';

/** A path that ends so is a file: what follows it is no part of its name. */
const FILE = /\.(?:img|raw|qcow2?|iso|fs|bin|rd|gz|elf)$/i;

export const pathsJoined = vmconfCheck(
  { code: 'vmconf-paths-joined', severity: 'warning', title: 'Two paths on one line, which become one path' },
  function* (config) {
    const { maxDisks } = config.version.facts;
    for (const { block, disks } of config.vms) {
      const added = block.options.reduce(
        (sum, option) => sum + (option.kind === 'disk' ? joinedTo(option) : 0),
        0,
      );
      const fit = disks.length + added <= maxDisks;
      for (const option of block.options) {
        if (option.kind !== 'disk' && option.kind !== 'boot' && option.kind !== 'cdrom') continue;
        const second = option.path.parts.findIndex(
          (part, index) => index > 0 && beginsPath(option.path, index, part),
        );
        if (second < 0 || !option.path.known) continue;
        yield {
          at: at(option.path),
          message: `vmd joins adjacent strings: this is the single path \`${option.path.text.slice(0, 200)}\`.`,
          fixes: option.kind === 'disk' ? splitDisks(option, fit) : [],
        };
      }
    }
  },
);

/** How many disks more there are when each path of this one has its own line. */
function joinedTo({ path }: { readonly path: Text }): number {
  return path.known && path.parts.some((part, index) => index > 0 && beginsPath(path, index, part))
    ? path.parts.length - 1
    : 0;
}

/** An absolute path after a literal one, or after one that names a file; `$sets "/bsd.rd"` is meant to be joined. */
function beginsPath(path: Text, index: number, part: Token): boolean {
  const before = path.parts[index - 1]!;
  if (!part.text.startsWith('/')) return false;
  return (
    FILE.test(before.text) || (before.macro === null && part.macro === null && before.text.startsWith('/'))
  );
}

/** `fit`: the VM takes that many disks, so nothing else is wrong afterwards. */
function splitDisks(disk: Extract<VmOption, { kind: 'disk' }>, fit: boolean): Fix[] {
  const { source } = disk;
  if (disk.path.parts.some((part) => part.source !== source)) return [];
  const indent = indentOf(disk);
  const tail = disk.format ? ` format ${disk.format.text}` : '';
  const lines = disk.path.parts.map((part) => `disk ${source.text.slice(part.start, part.end)}${tail}`);
  return [replace('Give each disk a line of its own', disk, lines.join(`\n${indent}`), fit)];
}
