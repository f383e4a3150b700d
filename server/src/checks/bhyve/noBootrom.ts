/** Without a boot ROM the VM must have been prepared by bhyveload or grub-bhyve (bhyverun.c, do_open). */
import { at } from '../places';
import { bhyveCheck } from './bhyveCheck';

export const noBootrom = bhyveCheck(
  { code: 'bhyve-no-bootrom', severity: 'information', title: 'A guest without a boot ROM' },
  function* (config) {
    if (!config.complete || config.preloaded) return;
    if (config.values.has('bootrom') || config.values.has('lpc.bootrom')) return;
    const newest = config.version.id === 'freebsd-15';
    const said = newest ? 'no bootrom was configured' : 'virtual machine cannot be booted';
    const key = config.version.facts.bootromKey;
    yield {
      at: at(config, config.place),
      message: `There is no boot ROM (${config.form === 'command' ? '`-l bootrom,FILE`' : `\`${key}\``}): unless bhyveload or grub-bhyve has made the VM and loaded a kernel before, bhyve ends with "${said}" and status 4.`,
    };
  },
);
