/** The socket device: context IDs that vsock(7) keeps for itself, and paths that no socket can have. */
import { bytesOf, integerOf, LONGEST_SOCKET_PATH, textOf } from '../jsonRules';
import { firecrackerCheck } from './firecrackerCheck';

const RESERVED: readonly string[] = ['VMADDR_CID_HYPERVISOR', 'VMADDR_CID_LOCAL', 'VMADDR_CID_HOST'];
const ANY = 0xffffffffn;

export const vsockCid = firecrackerCheck(
  { code: 'firecracker-vsock-cid', severity: 'warning', title: 'A context ID that is not the guest’s' },
  function* (rules) {
    const cid = integerOf(rules.section('vsock'), 'guest_cid');
    if (!cid || cid.value < 0n || (cid.value > 2n && cid.value !== ANY)) return;
    const name = cid.value === ANY ? 'VMADDR_CID_ANY' : RESERVED[Number(cid.value)]!;
    yield {
      at: rules.at(cid),
      message: `${cid.value} is ${name} (vsock(7)), and a guest’s context ID is 3 or more. Firecracker does not check it, and connections then reach nobody or the guest itself.`,
    };
  },
);

export const socketPath = firecrackerCheck(
  { code: 'firecracker-socket-path', severity: 'error', title: 'A socket’s path that is too long' },
  function* (rules) {
    const paths = [
      textOf(rules.section('vsock'), 'uds_path'),
      ...rules.devices('drives').map((drive) => textOf(drive, 'socket')),
    ];
    for (const path of paths) {
      if (!path || bytesOf(path.value) <= LONGEST_SOCKET_PATH) continue;
      yield {
        at: rules.at(path),
        message: `The path has ${bytesOf(path.value)} bytes, and the address of a UNIX socket holds ${LONGEST_SOCKET_PATH}: it can neither be bound nor connected to, and Firecracker ends with an error.`,
      };
    }
  },
);
