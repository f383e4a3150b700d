/**
 * What is started (PayloadConfig::validate since v48.0; Vm::load_payload on x86-64 before; `kernel` alone up to v25.0, and beside
 * `payload` up to v27.0).
 */
import type { ShapeProblem } from '../../text/shape/checkShape';
import { memberOf } from '../../text/shape/node';
import type { CloudHypervisorDocument } from '../../vmm/cloud-hypervisor/document';
import { isBroken } from '../jsonRules';
import { cloudHypervisorCheck, REFUSED } from './cloudHypervisorCheck';

/** A `kernel` at the top of a config that names no payload: the rule says of it what the shape would say again. */
export function isFormerKernel(problem: ShapeProblem, document: CloudHypervisorDocument): boolean {
  return (
    problem.kind === 'other-version' &&
    problem.path.length === 1 &&
    problem.key === 'kernel' &&
    memberOf(document.config, 'payload') === null &&
    !isBroken(document)
  );
}

export const payload = cloudHypervisorCheck(
  { code: 'cloud-hypervisor-payload', severity: 'error', title: 'Nothing to start, or two things' },
  function* (rules) {
    const { config } = rules;
    if (isBroken(rules.document)) return;
    if (rules.has({ until: 'v23.0' })) {
      // `tdx` starts a firmware of its own.
      if (rules.present(config, 'kernel') || rules.present(config, 'tdx')) return;
      yield {
        at: rules.at(rules.opening(config)),
        message: `There is no \`kernel\`: ${REFUSED} (KernelMissing).`,
      };
      return;
    }
    const member = memberOf(config, 'payload');
    if (rules.has({ until: 'v26.0' }) && rules.present(config, 'kernel')) return;
    if (!member?.value || member.value.kind === 'null') {
      // A half-typed text is not judged.
      if (member && !member.value) return;
      const former = rules.present(config, 'kernel');
      if (former) {
        yield {
          at: rules.at(former.key),
          message: `\`kernel\` at the top level was read up to v27.0. Now \`payload\` names kernel, command line and RAM disk, and there is none: ${REFUSED}.`,
        };
        return;
      }
      yield {
        at: rules.at(member?.key ?? rules.opening(config)),
        message: `There is no \`payload\`, so there is neither kernel nor firmware: vm.create takes it, and ${REFUSED}.`,
      };
      return;
    }
    const [kernel, firmware, igvm] = ['kernel', 'firmware', 'igvm'].map((key) =>
      rules.present(member.value, key),
    );
    if (member.value.kind !== 'object' || igvm) return;
    if (!kernel && !firmware) {
      yield {
        at: rules.at(member.key),
        message: `The payload names neither \`kernel\` nor \`firmware\`: ${REFUSED}.`,
      };
    } else if (kernel && firmware) {
      yield {
        at: rules.at(firmware.key),
        message: `The payload names a \`firmware\` and a \`kernel\`, and one of them is started: ${REFUSED}.`,
        related: [rules.related(kernel.key, 'The kernel')],
      };
    }
  },
);

export const firmwareArguments = cloudHypervisorCheck(
  {
    code: 'cloud-hypervisor-firmware-arguments',
    severity: 'warning',
    title: 'A command line or RAM disk for a firmware',
  },
  function* (rules) {
    const section = rules.section('payload');
    const firmware = rules.present(section, 'firmware');
    if (!firmware || rules.present(section, 'kernel') || rules.present(section, 'igvm')) return;
    const ignores = rules.has({ since: 'v48.0' });
    for (const key of ['cmdline', 'initramfs']) {
      const given = rules.present(section, key);
      if (!given || !rules.has({ since: 'v26.0' })) continue;
      yield {
        at: rules.at(given.key),
        severity: ignores ? 'warning' : 'error',
        message: ignores
          ? `A firmware gets no \`${key}\`: Cloud Hypervisor drops it with a line in its log.`
          : `A firmware gets no \`${key}\`: ${REFUSED} up to v47.0 (InvalidPayload).`,
        related: [rules.related(firmware.key, 'The firmware')],
      };
    }
  },
);
