/** Keys of the LPC bridge in a config without one: its serial ports are made by pci_lpc_init, before FreeBSD 15 the boot ROM too. */
import { at } from '../places';
import { bhyveCheck, insertLine } from './bhyveCheck';

export const lpcMissing = bhyveCheck(
  { code: 'bhyve-lpc-missing', severity: 'warning', title: 'Settings of an LPC bridge that is not there' },
  function* (config) {
    const open = config.devices.some(({ device }) => device?.open === true);
    if (!config.complete || open || config.devices.some(({ row }) => row?.name === 'lpc')) return;
    // Before, lpc_init loads the ROM; then bhyve_init_platform does.
    const loadsRom = config.version.facts.bootromKey === 'lpc.bootrom';
    for (const [key, { entry, value }] of config.values) {
      const rom = key === 'lpc.bootrom' && loadsRom;
      const com = /^lpc\.com[1-4]\.path$/.test(key);
      if (!rom && !com && key !== 'lpc.pc-testdev') continue;
      const what = com
        ? `the guest has no ${key.slice(4, 8).toUpperCase()}, and nothing goes to \`${value}\``
        : rom
          ? 'the boot ROM is not loaded, and the guest starts in memory that nobody fills'
          : 'the device is not there';
      const used = config.devices.some(({ address }) => address?.bus === 0 && address.slot === 31);
      yield {
        ...(rom ? { severity: 'error' as const } : {}),
        at: at(config, entry.implied ? entry.valueSpan : entry.keySpan),
        message: `\`${key}\` belongs to the LPC bridge, and there is no device \`lpc\`: ${what}.`,
        fixes: used ? [] : insertLine(config, entry, 'pci.0.31.0.device=lpc'),
      };
    }
  },
);
