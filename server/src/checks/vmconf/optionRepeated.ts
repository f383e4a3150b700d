/** Options that vmd takes once: a second one is an error. */
import type { VmOption } from '../../vmm/vmd/syntax';
import { at, lineOf, related, replace, vmconfCheck, wholeLines } from './vmconfCheck';

const ONCE = ['memory', 'boot', 'cdrom', 'interfaces'] as const;

export const optionRepeated = vmconfCheck(
  { code: 'vmconf-option-repeated', severity: 'error', title: 'An option that a VM takes only once' },
  function* (config) {
    for (const { block } of config.vms) {
      for (const kind of ONCE) {
        const options = block.options.filter((option) => option.kind === kind && counts(option));
        const [first] = options;
        for (const again of options.slice(1)) {
          yield {
            at: at(again),
            message: `\`${kind}\` was given in line ${lineOf(first!)}: vmd refuses a second one in the same VM.`,
            related: [related(first!, 'The first one')],
            fixes: onItsOwnLine(again) ? [replace('Remove this line', wholeLines(again), '')] : [],
          };
        }
      }
    }
  },
);

/** vmd tells a first `interfaces` by its count not being zero. */
function counts(option: VmOption): boolean {
  return option.kind !== 'interfaces' || option.count.text !== '0';
}

function onItsOwnLine(option: VmOption): boolean {
  const { source, start, end } = option;
  const lines = wholeLines(option);
  return (
    source.text.slice(lines.start, start).trim() === '' &&
    /^[ \t\r\n]*(?:#.*)?$/.test(source.text.slice(end, lines.end))
  );
}
