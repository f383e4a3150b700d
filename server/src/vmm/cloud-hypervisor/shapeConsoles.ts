/** Serial port, virtio console and debug console of a Cloud Hypervisor config. */
import { BOOLEAN, STRING, U16 } from '../../text/shape/rustTypes';
import type { InVersion, Member, ObjectShape } from '../../text/shape/shape';
import { PCI_SINCE_V52 } from './shapePci';

function mode(): Member {
  return {
    shape: {
      kind: 'string',
      values: [
        { value: 'Off', text: 'No device.' },
        { value: 'Null', text: 'A device whose output goes nowhere.' },
        { value: 'Tty', text: 'The terminal of the process.' },
        { value: 'Pty', text: 'A new pseudo terminal.' },
        { value: 'File', text: 'The file that `file` names.' },
        { value: 'Socket', text: 'The UNIX socket that `socket` names.', since: 'v38.0' },
      ],
    },
    text: 'Where the output goes.',
    required: true,
    source: 'vm_config.rs, ConsoleOutputMode',
  };
}

const FILE: Member = { shape: STRING, text: 'The file for the mode `File`.', nullable: true };
const SOCKET: Member = {
  shape: STRING,
  text: 'The socket for the mode `Socket`.',
  nullable: true,
  since: 'v38.0',
};
/** One struct for both up to v51.0, so the port had it too. */
const IOMMU: Member = {
  shape: BOOLEAN,
  text: 'Puts the device behind the virtual IOMMU; of the serial port it had no effect.',
  default: 'false',
};

export function serialConfig(): ObjectShape {
  return {
    kind: 'object',
    others: 'ignored',
    members: {
      mode: mode(),
      file: FILE,
      socket: SOCKET,
      iommu: { ...IOMMU, until: 'v48.0' },
    },
  };
}

export function consoleConfig(has: InVersion): ObjectShape {
  return {
    kind: 'object',
    others: 'ignored',
    members: {
      ...PCI_SINCE_V52,
      ...(has({ until: 'v48.0' }) ? { iommu: IOMMU } : {}),
      mode: mode(),
      file: FILE,
      socket: SOCKET,
    },
  };
}

export function debugConsole(): ObjectShape {
  return {
    kind: 'object',
    others: 'ignored',
    members: {
      mode: mode(),
      file: FILE,
      iobase: { shape: U16, text: 'The port, 0xe9 where none is given.', nullable: true },
    },
  };
}
