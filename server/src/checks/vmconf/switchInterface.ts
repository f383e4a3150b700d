/** Switches without an interface, or on one that is no bridge. */
import { isVmdSince } from '../../vmm/vmd/versions';
import { at, byteLength, vmconfCheck } from './vmconfCheck';

/** IF_NAMESIZE: bytes with the terminating NUL. */
const IF_NAMESIZE = 16;

export const switchInterface = vmconfCheck(
  { code: 'vmconf-switch-interface', severity: 'error', title: 'A switch without a bridge of the host' },
  function* (config) {
    const types = isVmdSince(config.version.id, '7.6') ? ['bridge', 'veb'] : ['switch', 'bridge'];
    for (const { block, name } of config.switches) {
      const interfaces = block.options.filter((option) => option.kind === 'interface');
      if (interfaces.length === 0 && block.options.length > 0) {
        yield {
          at: at(block.name),
          message: `Switch \`${name}\` has no \`interface\`: vmd wants the bridge of the host that it stands for.`,
        };
      }
      for (const option of interfaces) {
        if (option.kind !== 'interface' || !option.name.known) continue;
        const { text } = option.name;
        // priv_getiftype: a type without digits, then a unit number.
        const [, type] = /^([^0-9]+)\d+$/.exec(text) ?? [];
        if (type && types.includes(type) && byteLength(text) < IF_NAMESIZE) continue;
        yield {
          at: at(option.name),
          message: `\`${text.slice(0, 80)}\` is no ${types.join(' or ')} interface with a unit number (${types[0]}0): vmd refuses the file.`,
        };
      }
    }
  },
);
