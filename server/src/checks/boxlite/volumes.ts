/** Volumes without an origin, or with two (VolumeSpec::validate). */
import { memberOf } from '../../text/shape/node';
import { listItems } from '../jsonRules';
import { boxliteCheck } from './boxliteCheck';

export const volumes = boxliteCheck(
  { code: 'boxlite-volume', severity: 'error', title: 'A volume without one origin' },
  function* (places) {
    for (const item of listItems(places.option('volumes')?.value)) {
      if (item.kind !== 'object') continue;
      const host = memberOf(item, 'host_path')?.value;
      const managed = memberOf(item, 'managed_volume')?.value;
      const isManaged = managed && managed.kind !== 'null';
      const hasHost = host?.kind === 'string' && host.value !== '';
      if (isManaged && hasHost) {
        yield {
          at: places.at(managed),
          message: 'BoxLite refuses a volume with both `managed_volume` and `host_path`.',
          related: [places.related(host, 'The other origin')],
        };
      } else if (!isManaged && (!host || (host.kind === 'string' && host.value === ''))) {
        yield {
          at: places.at(host ?? { start: item.start, end: item.start + 1 }),
          message: 'BoxLite refuses a volume without an origin: `host_path` must name a directory or file.',
        };
      } else if (managed?.kind === 'string' && managed.value.trim() === '') {
        yield { at: places.at(managed), message: 'BoxLite refuses an empty `managed_volume`.' };
      }
    }
  },
);
