/** An interface that names a switch nobody declares: vmd ignores the option. */
import { closest } from '../../text/closest';
import type { VmConfig, VmdConfig } from '../../vmm/vmd/config';
import type { Text } from '../../vmm/vmd/syntax';
import { at, related, replace, vmconfCheck, wholeLines } from './vmconfCheck';
import type { Found } from '../check';

export const switchUndefined = vmconfCheck(
  {
    code: 'vmconf-switch-undefined',
    severity: 'warning',
    title: 'An interface on a switch that nobody declares',
  },
  function* (config) {
    // A file that was not read may declare it.
    if (config.syntax.wanted.length > 0) return;
    const enabled = new Set(config.switches.filter((declared) => declared.enabled).map(({ name }) => name));
    for (const vm of config.vms) {
      for (const { options } of vm.interfaces) {
        for (const option of options) {
          if (option.kind !== 'switch' || !option.name.known || enabled.has(option.name.text)) continue;
          yield finding(config, vm, option.name, [...enabled]);
        }
      }
    }
  },
);

function finding(config: VmdConfig, vm: VmConfig, name: Text, enabled: readonly string[]): Found {
  const disabled = config.switches.find((declared) => declared.name === name.text);
  if (disabled) {
    return {
      at: at(name),
      message: `Switch \`${name.text}\` is disabled, so vmd does not register it: the interface joins nothing, and vmd says nothing.`,
      related: [related(disabled.block.name, 'Disabled here')],
    };
  }
  const near = closest(name.text, enabled);
  const block = wholeLines({ ...vm.block.name, end: vm.block.name.start });
  const insertion = { ...block, end: block.start };
  const fixes = [
    ...(near && !name.parts[0]!.macro ? [replace(`Change to ${near}`, name, `"${near}"`, true)] : []),
    ...(name.text === '' || name.text.length > 63 || /["\n]/.test(name.text)
      ? []
      : [
          replace(
            `Declare switch ${name.text}`,
            insertion,
            `switch "${name.text}" {\n\tinterface bridge0\n}\n\n`,
          ),
        ]),
  ];
  return {
    at: at(name),
    message: `No switch is called \`${name.text}\`: vmd does not check the name, the interface joins nothing.`,
    fixes,
  };
}
