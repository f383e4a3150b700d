/** Settings of vCPUs and NUMA domains by number: those that are not reached are not read (build_vcpumaps, calc_mem_affinity). */
import type { BhyveConfig } from '../../vmm/bhyve/config/config';
import { isIn } from '../../vmm/bhyve/keys/keyRow';
import type { Found } from '../check';
import { at } from '../places';
import { bhyveCheck } from './bhyveCheck';

const PIN = /^vcpu\.(0|[1-9]\d{0,5})\.cpuset$/;
const DOMAIN = /^domains\.(0|[1-9]\d?)\.(size|cpus|domain_policy)$/;

export const vcpuPin = bhyveCheck(
  { code: 'bhyve-vcpu-pin', severity: 'warning', title: 'Settings of a vCPU that there is not' },
  function* (config) {
    if (!config.complete || !countKnown(config)) return;
    for (const [key, { entry }] of config.values) {
      const found = PIN.exec(key);
      if (!found || Number(found[1]) < config.vcpus || config.version.facts.os === 'illumos') continue;
      yield {
        at: at(config, entry.implied ? entry.valueSpan : entry.keySpan),
        message: `There is no vCPU ${found[1]!}: the VM has ${config.vcpus === 1 ? 'one, number 0' : `${config.vcpus}, from 0 to ${config.vcpus - 1}`}. bhyve does not look at this key.`,
        tags: ['unnecessary'],
      };
    }
  },
);

function countKnown({ values }: BhyveConfig): boolean {
  return ['cpus', 'sockets', 'cores', 'threads'].every((key) => !values.get(key)?.open);
}

export const numaDomain = bhyveCheck(
  {
    code: 'bhyve-numa-domain',
    severity: 'error',
    title: 'A NUMA domain without CPUs, or behind a missing one',
  },
  function* (config) {
    if (!config.complete || !isIn({ since: { freebsd: 'freebsd-15' } }, config.version)) return;
    const domains = new Map<number, Set<string>>();
    for (const key of config.values.keys()) {
      const found = DOMAIN.exec(key);
      if (!found) continue;
      const keys = domains.get(Number(found[1])) ?? new Set();
      domains.set(Number(found[1]), keys.add(found[2]!));
    }
    let next = 0;
    while (domains.has(next)) next++;
    for (const [domain, keys] of domains) {
      const name = [...keys][0]!;
      const { entry } = config.values.get(`domains.${domain}.${name}`)!;
      const span = entry.implied ? entry.valueSpan : entry.keySpan;
      if (domain > next) yield behindHole(config, span, domain, next);
      else if (!keys.has('cpus')) {
        yield {
          at: at(config, span),
          message: `NUMA domain ${domain} has no \`cpus\`: bhyve ends with "Missing CPU set for domain ${domain}" and status 4.`,
        };
      }
    }
  },
);

function behindHole(
  config: BhyveConfig,
  span: { start: number; end: number },
  domain: number,
  next: number,
): Found {
  return {
    severity: 'warning',
    at: at(config, span),
    message: `bhyve counts NUMA domains from 0 and stops at the first that is missing, which is ${next}: domain ${domain} is not read.`,
  };
}
