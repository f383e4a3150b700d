/** Limits of disks and network devices (VmConfig::validate, RateLimiterGroupConfig::validate; rate_limiter, TokenBucket::new). */
import { isOn, itemsOf, objectOf, textOf } from '../jsonRules';
import { idleBuckets } from '../tokenBucket';
import { cloudHypervisorCheck, REFUSED } from './cloudHypervisorCheck';

export const rateLimit = cloudHypervisorCheck(
  {
    code: 'cloud-hypervisor-rate-limit',
    severity: 'error',
    title: 'A limit that is not there, or not allowed',
  },
  function* (rules) {
    if (!rules.has({ since: 'v38.0' })) return;
    const groups = rules.devices('rate_limit_groups');
    const ids = groups.flatMap((group) => textOf(group, 'id')?.value ?? []);
    const known = new Set(ids);
    const told = ids.length === itemsOf(rules.config, 'rate_limit_groups').length;
    for (const group of groups) {
      const limits = objectOf(group, 'rate_limiter_config');
      const open = rules.at(rules.opening(group));
      const given = rules.present(group, 'rate_limiter_config');
      if (!rules.present(group, 'id') || textOf(group, 'id')?.value === '') {
        yield { at: open, message: `The group has no \`id\`: ${REFUSED} (InvalidRateLimiterGroup).` };
      } else if (!given || (limits && !rules.present(limits, 'bandwidth') && !rules.present(limits, 'ops'))) {
        yield {
          at: open,
          message: `The group limits neither \`bandwidth\` nor \`ops\`: ${REFUSED} (InvalidRateLimiterGroup).`,
        };
      }
    }
    for (const disk of rules.devices('disks')) {
      const group = textOf(disk, 'rate_limit_group');
      const own = rules.present(disk, 'rate_limiter_config');
      if (group && told && !known.has(group.value)) {
        yield {
          at: rules.at(group),
          message: `\`rate_limit_groups\` has no \`${group.value}\`: ${REFUSED} (InvalidRateLimiterGroup).`,
        };
      } else if (group && own) {
        yield {
          at: rules.at(own.key),
          message: `The disk has a limit of its own and a group: ${REFUSED} (InvalidRateLimiterGroup).`,
          related: [rules.related(group, 'The group')],
        };
      }
    }
    if (!rules.has({ since: 'v52.0' })) return;
    for (const device of [...rules.devices('disks'), ...rules.devices('net')]) {
      const limit = rules.present(device, 'rate_limiter_config') ?? rules.present(device, 'rate_limit_group');
      if (!limit || !isOn(device, 'vhost_user')) continue;
      yield {
        at: rules.at(limit.key),
        message: `Requests of a vhost-user device pass Cloud Hypervisor by, so it cannot limit them: ${REFUSED} since v52.0 (VhostUserRateLimiterNotSupported).`,
      };
    }
  },
);

export const rateLimiterOff = cloudHypervisorCheck(
  {
    code: 'cloud-hypervisor-rate-limiter-off',
    severity: 'warning',
    title: 'A rate limiter that limits nothing',
  },
  function* (rules) {
    const devices = ['disks', 'net', 'rate_limit_groups'].flatMap((list) => rules.devices(list));
    for (const device of devices)
      yield* idleBuckets(rules, objectOf(device, 'rate_limiter_config'), 'Cloud Hypervisor');
  },
);
