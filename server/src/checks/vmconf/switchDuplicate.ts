/** Two switches of one name: interfaces join the first. */
import { at, lineOf, related, vmconfCheck } from './vmconfCheck';

export const switchDuplicate = vmconfCheck(
  { code: 'vmconf-switch-duplicate', severity: 'warning', title: 'A switch whose name is taken' },
  function* (config) {
    const first = new Map<string, (typeof config.switches)[number]>();
    for (const declared of config.switches) {
      if (!declared.enabled || !declared.block.brace) continue;
      const earlier = first.get(declared.name);
      if (!earlier) {
        first.set(declared.name, declared);
        continue;
      }
      yield {
        at: at(declared.block.name),
        message: `Switch \`${declared.name}\` is declared in line ${lineOf(earlier.block.name)}: interfaces that name it join that one, never this.`,
        related: [related(earlier.block.name, 'The switch that interfaces join')],
      };
    }
  },
);
