/** Context IDs that vsock(7) keeps for itself (VmConfig::validate, since v38.0). */
import { integerOf } from '../jsonRules';
import { cloudHypervisorCheck, REFUSED } from './cloudHypervisorCheck';

const RESERVED: ReadonlyMap<bigint, string> = new Map([
  [0n, 'VMADDR_CID_HYPERVISOR'],
  [1n, 'VMADDR_CID_LOCAL'],
  [2n, 'VMADDR_CID_HOST'],
  [0xffffffffn, 'VMADDR_CID_ANY'],
]);

export const vsockCid = cloudHypervisorCheck(
  { code: 'cloud-hypervisor-vsock-cid', severity: 'error', title: 'A context ID that is not the guest’s' },
  function* (rules) {
    const cid = integerOf(rules.section('vsock'), 'cid');
    const name = cid && RESERVED.get(cid.value);
    if (!cid || !name) return;
    const refused = rules.has({ since: 'v38.0' });
    yield {
      at: rules.at(cid),
      severity: refused ? 'error' : 'warning',
      message: `${cid.value} is ${name} (vsock(7)), and a guest's context ID is 3 or more: ${refused ? `${REFUSED} (VsockSpecialCid)` : 'releases up to v37.0 take it, and connections reach nobody or the guest itself'}.`,
    };
  },
);
