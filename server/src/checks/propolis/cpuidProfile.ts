/** The CPUID profile that main names, and profiles that nobody names. */
import { closest } from '../../text/closest';
import { isTemplate } from '../../text/shape/checkShape';
import { propolisCheck } from './propolisCheck';

export const cpuidProfile = propolisCheck(
  { code: 'propolis-cpuid-profile', severity: 'warning', title: 'A CPUID profile that is not there' },
  function* (rules) {
    const named = rules.main('cpuid_profile')?.value;
    const profiles = rules.profiles.map(({ name }) => name);
    if (named?.kind !== 'string' || profiles.includes(named.value) || isTemplate(named.value)) return;
    const near = closest(named.value, profiles) ?? (profiles.length === 1 ? profiles[0] : undefined);
    yield {
      at: rules.at(named),
      message: `No table is called \`[cpuid.${named.value.slice(0, 60)}]\`. Propolis says nothing and makes the VM without a profile: the kernel answers CPUID in its own way.`,
      ...(near === undefined
        ? {}
        : { fixes: [rules.replace(`Change to ${near}`, named, JSON.stringify(near))] }),
    };
  },
);

export const cpuidProfileUnused = propolisCheck(
  { code: 'propolis-cpuid-unused', severity: 'hint', title: 'A CPUID profile that nobody names' },
  function* (rules) {
    const named = rules.main('cpuid_profile')?.value;
    if (named && (named.kind !== 'string' || isTemplate(named.value))) return;
    for (const { name, key } of rules.profiles) {
      if (named?.value === name) continue;
      yield {
        at: rules.at(key),
        message: `\`main.cpuid_profile\` does not name \`${name.slice(0, 60)}\`: no vCPU has this profile.`,
        tags: ['unnecessary'],
      };
    }
  },
);
