/** Serial port and console (VmConfig::validate; vmm/src/console_devices.rs, pre_create_console_devices). */
import { textOf } from '../jsonRules';
import { cloudHypervisorCheck, REFUSED } from './cloudHypervisorCheck';

export const consolesTty = cloudHypervisorCheck(
  { code: 'cloud-hypervisor-tty', severity: 'information', title: 'Two consoles on one terminal' },
  function* (rules) {
    const serial = textOf(rules.section('serial'), 'mode');
    const console = textOf(rules.section('console'), 'mode');
    // Without a `console` there is one on the terminal; one that a template gives is left alone.
    if (serial?.value !== 'Tty') return;
    if (rules.present(rules.config, 'console') && console?.value !== 'Tty') return;
    const refused = rules.has({ until: 'v34.0' });
    const also = console
      ? '`console` is on the terminal too'
      : 'the virtio console is on the terminal too, as no `console` says otherwise';
    yield {
      at: rules.at(serial),
      severity: refused ? 'error' : 'information',
      message: refused
        ? `The serial port is on the terminal, and ${also}: ${REFUSED} up to v37.0 (DoubleTtyMode).`
        : `The serial port is on the terminal, and ${also}: both print there, and both read what is typed.`,
      related: console ? [rules.related(console, 'The virtio console')] : [],
      fixes: console ? [rules.replace('Change console to Null', console, '"Null"')] : [],
    };
  },
);

export const consoleTarget = cloudHypervisorCheck(
  {
    code: 'cloud-hypervisor-console-target',
    severity: 'error',
    title: 'A console without its file or socket',
  },
  function* (rules) {
    for (const key of ['serial', 'console']) {
      const section = rules.section(key);
      const mode = textOf(section, 'mode');
      if (mode?.value === 'File' && !rules.present(section, 'file')) {
        yield {
          at: rules.at(mode),
          message: `The mode is \`File\`, and no \`file\` is named: ${REFUSED} (ConsoleFileMissing).`,
        };
      }
      if (mode?.value !== 'Socket' || !rules.has({ since: 'v38.0' })) continue;
      if (key === 'console') {
        yield {
          at: rules.at(mode),
          message:
            'Only the serial port can be a socket: Cloud Hypervisor refuses the VM (NoSocketOptionSupportForConsoleDevice).',
        };
      } else if (!rules.present(section, 'socket')) {
        yield {
          at: rules.at(mode),
          message: 'The mode is `Socket`, and no `socket` is named: Cloud Hypervisor unwraps it and panics.',
        };
      }
    }
  },
);
