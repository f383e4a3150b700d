/** Functions of libkrun that do nothing any more, or have a successor. */
import { libkrunVersion, LIBKRUN_VERSIONS } from '../../vmm/libkrun/versions';
import { isLibkrunDocument } from '../../vmm/libkrun/c/document';
import type { Check } from '../check';

interface Successor {
  readonly since: string;
  readonly instead: string;
}

/** "DEPRECATED" in include/libkrun.h, with the first version of our list whose header says so. */
const DEPRECATED: Readonly<Record<string, Successor>> = {
  krun_set_root_disk: { since: '1.9.5', instead: 'krun_add_disk' },
  krun_set_data_disk: { since: '1.9.5', instead: 'krun_add_disk' },
  krun_set_passt_fd: { since: '1.16.0', instead: 'krun_add_net_unixstream' },
  krun_set_gvproxy_path: { since: '1.16.0', instead: 'krun_add_net_unixgram' },
};

export const removed: Check = {
  code: 'libkrun-removed',
  severity: 'error',
  title: 'A function of libkrun that does nothing any more',
  on: ['libkrun-c'],
  *run(document) {
    if (!isLibkrunDocument(document)) return;
    for (const { name, nameSpan } of document.calls) {
      if (name !== 'krun_set_mapped_volumes') continue;
      yield {
        at: document.source.at(nameSpan.start, nameSpan.end),
        message:
          'krun_set_mapped_volumes always returns -EINVAL, in every version since 1.8 at least: no volume is mapped. krun_add_virtiofs shares a directory.',
      };
    }
  },
};

export const deprecated: Check = {
  code: 'libkrun-deprecated',
  severity: 'hint',
  title: 'A function of libkrun that has a successor',
  on: ['libkrun-c'],
  *run(document) {
    if (!isLibkrunDocument(document)) return;
    const order = LIBKRUN_VERSIONS.map(({ id }) => id);
    const at = order.indexOf(libkrunVersion(document.choice?.version ?? '').id);
    for (const { name, nameSpan } of document.calls) {
      const successor = Object.hasOwn(DEPRECATED, name) ? DEPRECATED[name]! : null;
      if (!successor || at < order.indexOf(successor.since)) continue;
      yield {
        at: document.source.at(nameSpan.start, nameSpan.end),
        message: `libkrun.h calls ${name} deprecated; ${successor.instead} is its successor.`,
        tags: ['deprecated'],
      };
    }
  },
};
