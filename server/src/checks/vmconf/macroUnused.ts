/** Macros that nothing uses: vmd warns of them on its standard error. */
import { at, replace, vmconfCheck, wholeLines } from './vmconfCheck';

export const macroUnused = vmconfCheck(
  { code: 'vmconf-macro-unused', severity: 'warning', title: 'A macro that nothing uses' },
  function* (config) {
    // A file that was not read may use it.
    if (config.syntax.wanted.length > 0) return;
    for (const { name, uses, definition } of config.syntax.macrosAtEnd) {
      if (uses > 0 || !definition) continue;
      yield {
        at: at(definition.name),
        message: `Macro \`${name}\` is not used: vmd warns of it each time it reads the file.`,
        tags: ['unnecessary'],
        fixes: [replace(`Remove macro ${name}`, wholeLines(definition), '', true)],
      };
    }
  },
);
