/** A setting that is made twice for one context: the later one counts. */
import type { CCall } from '../../vmm/libkrun/c/scan';
import { krunCheck } from './krunCheck';

const ENVIRONMENT = 'the environment';

/** What a call sets, by its name; calls that set the same thing replace each other. */
const SETTINGS: Readonly<Record<string, string>> = {
  krun_set_vm_config: 'vCPUs and memory',
  krun_set_root_disk: 'the root disk',
  krun_set_data_disk: 'the data disk',
  krun_set_passt_fd: 'the network backend',
  krun_set_gvproxy_path: 'the network backend',
  krun_set_net_mac: 'the MAC address',
  krun_set_port_map: 'the map of ports',
  krun_set_rlimits: 'the resource limits',
  krun_set_workdir: 'the working directory',
  krun_set_exec: 'the program',
  krun_set_env: ENVIRONMENT,
  krun_set_tee_config_file: 'the TEE config',
  krun_set_kernel_console: 'the console of the kernel',
  krun_set_nested_virt: 'nested virtualization',
  krun_split_irqchip: 'the place of the interrupt chips',
};

export const overridden = krunCheck(
  { code: 'libkrun-overridden', severity: 'warning', title: 'A setting that a later call replaces' },
  function* (rules) {
    for (const { calls } of rules.contexts) {
      const last = new Map<string, CCall>();
      for (const call of calls) {
        const what = SETTINGS[call.name];
        if (what === undefined) continue;
        // It sets the environment too, be it to that of the process.
        const lost = call.name === 'krun_set_exec' && last.has(ENVIRONMENT) ? ENVIRONMENT : what;
        const earlier = last.get(lost);
        last.set(what, call);
        if (!earlier || !rules.precedes(earlier, call)) continue;
        // With the same arguments nothing is lost.
        const texts = [earlier, call].map((one) => rules.source.text.slice(one.start, one.end));
        if (texts[0] === texts[1]) continue;
        yield {
          at: rules.at(earlier.nameSpan),
          message: `${call.name} in line ${rules.lineOf(call)} sets ${lost} again for the same context: what this call sets is lost.`,
          related: [rules.related(call, 'The one that counts')],
          tags: ['unnecessary'],
        };
      }
    }
  },
);
