/** A config that is wrapped into another object: vm.create reads the outer one and finds none of its keys. */
import { cloudHypervisorCheck } from './cloudHypervisorCheck';

export const wrapper = cloudHypervisorCheck(
  { code: 'cloud-hypervisor-wrapper', severity: 'warning', title: 'A config inside another object' },
  function* (rules) {
    const { wrapper: member, json } = rules.document;
    // vm.info answers with `config` and `state`, which is no request.
    if (!member || json.root?.kind !== 'object' || json.root.members.length > 1) return;
    yield {
      at: rules.at(member.key),
      message: `\`vm.create\` takes the VM itself, and knows no \`${member.key.value}\`: sent as it stands, all of this is ignored, and the boot fails for want of a payload.`,
    };
  },
);
