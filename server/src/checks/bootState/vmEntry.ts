/** An initial state that the CPU would refuse to enter: every check of VMX entry, or of VMRUN, on it. */
import type { InitialVcpu } from '../../machine/bootState';
import { checkEntry, type EntryCpu, type EntryViolation } from '../../x86/entryChecks/entryChecks';
import type { Check, Found } from '../check';
import { bootsOf, placeOf, vcpuWord, type Boot } from './boots';
import { cpuOf } from './cpu';

/** What VMRUN alone refuses: the others have their like among the checks of VMX. */
const VMRUN_ALONE: ReadonlySet<string> = new Set(['A1', 'A3', 'A4']);

function entryCpu(boot: Boot, { state }: InitialVcpu, vendor: EntryCpu['vendor']): EntryCpu {
  const fiveLevels = state.cr4 !== undefined && (state.cr4 & 0x1000n) !== 0n;
  return {
    vendor,
    physicalWidth: cpuOf(boot.machine).physicalWidth?.value ?? WIDEST,
    linearWidth: fiveLevels ? 57 : 48,
    unrestrictedGuest: true,
    fixedBitsVisible: false,
  };
}

/** MAXPHYADDR is 52 at most (SDM vol. 3A, 4.1.4). */
const WIDEST = 52;

/** The register that a problem begins with: `CR0 0x… has …`, `CS has …`. */
function registerOf(problem: string): string {
  return /^[A-Za-z0-9]+/.exec(problem)?.[0].toLowerCase() ?? '';
}

type Refusal = EntryViolation & { readonly amdAlone: boolean };

/** By vCPU, and by CPU: guests of one VMM start in one state. */
const known = new WeakMap<InitialVcpu, Map<string, readonly Refusal[]>>();

function violationsOf(boot: Boot, vcpu: InitialVcpu): readonly Refusal[] {
  const { vendor, physicalWidth } = cpuOf(boot.machine);
  const key = `${vendor} ${physicalWidth?.value}`;
  const byCpu = known.get(vcpu) ?? new Map<string, readonly Refusal[]>();
  known.set(vcpu, byCpu);
  let violations = byCpu.get(key);
  if (!violations) byCpu.set(key, (violations = entryViolations(boot, vcpu, vendor)));
  return violations;
}

/** Of both vendors' checks where the text leaves the vendor to the host. */
function entryViolations(boot: Boot, vcpu: InitialVcpu, vendor: EntryCpu['vendor'] | null): Refusal[] {
  const found = checkEntry(vcpu.state, entryCpu(boot, vcpu, vendor ?? 'intel')).violations.map(
    (violation): Refusal => ({ ...violation, amdAlone: false }),
  );
  if (vendor !== null) return found;
  for (const violation of checkEntry(vcpu.state, entryCpu(boot, vcpu, 'amd')).violations)
    if (VMRUN_ALONE.has(violation.check.id)) found.push({ ...violation, amdAlone: true });
  return found;
}

export const vmEntry: Check = {
  code: 'vm-entry-state',
  severity: 'error',
  title: 'Initial state that the CPU refuses to enter',
  on: ['machine'],
  *run(document) {
    for (const boot of bootsOf(document)) {
      for (const vcpu of boot.state.vcpus) {
        for (const { check, problem, amdAlone } of violationsOf(boot, vcpu)) {
          const refused: Found = {
            at: placeOf(boot, vcpu, registerOf(problem)),
            evidence: 'proven',
            message: `${vcpuWord(boot, vcpu)}${problem}: ${check.rule} (check ${check.id}, ${check.source}). ${
              check.id.startsWith('A')
                ? `VMRUN ends with VMEXIT_INVALID${amdAlone ? ' on AMD hosts' : ''}, and the guest does not run.`
                : 'VM entry fails with reason 33, invalid guest state, and the guest does not run.'
            }`,
          };
          yield amdAlone ? { ...refused, severity: 'warning' } : refused;
        }
      }
    }
  },
};
