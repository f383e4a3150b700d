/** What bhyve does with accesses that nobody answers or that a handler refuses, and with the ends of a guest. */
import { hex } from '../../address/format';
import { GIB } from '../../address/range';
import type { MmioAccess, PortAccess, Verdict } from '../model';
import { allOnes } from '../../devices/openBus';
import { FWCTL_IN, FWCTL_OUT } from './fwctl';
import { kernelPortRefusal } from './kernelDevices';
import { bhyveMemory } from './layout';
import { PM_PORTS, RESET_PORT, SMI_COMMAND } from './powerManagement';
import type { BhyveSettings } from './settings';
import type { BhyveFacts } from './versions';

/** Exit statuses of the bhyve process (bhyverun.h). */
export const EXIT = { reset: 0, powerOff: 1, halt: 2, tripleFault: 3, error: 4 } as const;

type Widths = readonly (1 | 2 | 4)[];
interface PortRule {
  readonly first: number;
  /** Inclusive. */
  readonly last: number;
  readonly reads: Widths;
  readonly writes: Widths;
  readonly handler: string;
  /** Only where this is so. */
  readonly when?: (facts: BhyveFacts, settings: BhyveSettings, lpc: boolean) => boolean;
}

const rule = (
  [first, last]: readonly [number, number],
  reads: Widths,
  writes: Widths,
  handler: string,
  when?: PortRule['when'],
): PortRule => ({ first, last, reads, writes, handler, ...(when ? { when } : {}) });

const one = (port: number) => [port, port] as const;
const COM = [0x3f8, 0x2f8, 0x3e8, 0x2e8] as const;

/**
 * Widths that userland's handlers take; at any other, and in a direction that was not registered, they return -1. Each register
 * of the power management is one port: 0x402 is PM1_EN, and the port that firmware writes its log to elsewhere.
 */
const RULES: readonly PortRule[] = [
  rule([0x60, 0x60], [1], [1], 'atkbdc_data_handler'),
  rule([0x64, 0x64], [1], [1], 'atkbdc_sts_ctl_handler'),
  rule(one(0x84), [1], [], 'post_data_handler'),
  rule(one(SMI_COMMAND.port), [], [1], 'smi_cmd_handler'),
  rule(one(PM_PORTS.event), [2], [2], 'pm1_status_handler'),
  rule(one(PM_PORTS.event + 2), [2], [2], 'pm1_enable_handler'),
  rule(one(PM_PORTS.control), [2], [2], 'pm1_control_handler'),
  rule([PM_PORTS.gpe0, PM_PORTS.gpe0], [1], [1], 'gpe0_sts', ({ gpe0 }) => gpe0),
  rule([PM_PORTS.gpe0 + 1, PM_PORTS.gpe0 + 1], [1], [1], 'gpe0_en', ({ gpe0 }) => gpe0),
  rule(one(RESET_PORT), [1], [1], 'reset_handler'),
  rule(one(FWCTL_IN), [1, 2, 4], [], 'fwctl_handler', (_, { fwcfg }, lpc) => lpc && fwcfg === 'bhyve'),
  rule(
    one(FWCTL_OUT),
    [1, 2, 4],
    [1, 2, 4],
    'fwctl_handler',
    (_, { fwcfg }, lpc) => lpc && fwcfg === 'bhyve',
  ),
  ...COM.map((base) =>
    rule([base, base + 7], [1, 2], [1, 2], 'lpc_uart_io_handler', (_facts, _settings, lpc) => lpc),
  ),
];

export interface PortScreen {
  readonly facts: BhyveFacts;
  readonly settings: BhyveSettings;
  /** There is an ISA bridge. */
  readonly lpc: boolean;
}

/** Before any device: what a handler refuses. Null lets the access pass. */
export function screenPort(access: PortAccess, { facts, settings, lpc }: PortScreen): Verdict | null {
  const { port, size, write } = access;
  const found = RULES.find(({ first, last }) => port >= first && port <= last);
  if (found && (found.when?.(facts, settings, lpc) ?? true)) {
    if ((write ? found.writes : found.reads).includes(size)) return null;
    const takes = write ? found.writes : found.reads;
    const why =
      takes.length === 0
        ? `the port is registered for ${write ? 'input' : 'output'} alone`
        : `${found.handler} takes ${takes.join(', ')} bytes, not ${size}`;
    return {
      kind: 'vmm-exit',
      passable: 'port accesses that a handler refuses',
      reason: unhandled(access, why),
    };
  }
  const refusal = kernelPortRefusal(access);
  // Before the fix of issue 13253, and on FreeBSD, the device just answers here: what they do was not established.
  if (!refusal || facts.os !== 'illumos' || facts.ipiShorthand === 'panic') return null;
  return {
    kind: 'vmm-exit',
    passable: 'port accesses that a device of the kernel refuses',
    reason:
      `${name(access)} port ${hex(port)}: ${refusal}. vmm hands it to userland as an instruction-emulation exit, ` +
      'and bhyve prints "Failed to emulate instruction sequence" and aborts',
  };
}

const name = ({ write }: PortAccess): string => (write ? 'OUT to' : 'IN from');

/** vmexit_inout: the message, and VMEXIT_ABORT, at which vm_loop calls abort(3). */
function unhandled(access: PortAccess, why: string): string {
  const suffix = { 1: 'b', 2: 'w', 4: 'l' }[access.size];
  const message = `Unhandled ${access.write ? 'out' : 'in'}${suffix} 0x${access.port.toString(16).padStart(4, '0')}`;
  return `${name(access)} port ${hex(access.port)} of ${access.size} bytes: ${why}. bhyve prints "${message}" and aborts`;
}

/** default_inout: all ones, or nothing. With x86.strictio there is no default handler. */
export function unansweredPort(access: PortAccess, { strictIo }: BhyveSettings): Verdict {
  if (strictIo) {
    return {
      kind: 'vmm-exit',
      passable: 'accesses to ports that nobody has',
      reason: unhandled(access, 'nobody has this port, and x86.strictio is true'),
    };
  }
  return { kind: 'answer', value: allOnes(access.size) };
}

/**
 * A write to the boot ROM, which is mapped for reading and execution: the kernel finds memory there, so it is a page fault of the
 * guest and no MMIO. illumos hands it to userland, whose vmexit_paging aborts (read in userland of 2021 and later). On FreeBSD
 * vm_handle_paging returns EFAULT, and vm_loop ends with it. Before, the write is lost here.
 */
export function romWrite({ address, size }: MmioAccess, facts: BhyveFacts): Verdict {
  const what = `a ${size}-byte write to ${hex(address)} in the boot ROM, which is mapped without write access`;
  const passable = 'writes to the boot ROM';
  if (facts.os === 'freebsd') {
    return {
      kind: 'vmm-exit',
      exitStatus: 1,
      passable,
      reason: `${what}: vm_handle_paging fails with EFAULT, bhyve prints "vm_run error -1, errno 14" and ends with status 1`,
    };
  }
  if (!facts.configFile) return { kind: 'answer', value: allOnes(size) };
  return {
    kind: 'vmm-exit',
    passable,
    reason: `${what}: vmm hands it to userland, and bhyve prints "vm exit[…] reason PAGING" and aborts`,
  };
}

/** The fallback handler “PCI hole” from the end of low memory to 4 GiB; what is above it, nobody has. */
export function unansweredMmio(access: MmioAccess, facts: BhyveFacts, memory: bigint): Verdict {
  const { address, size, write } = access;
  const inHole = address >= bhyveMemory(memory).low.end && address < 4n * GIB;
  if (inHole || facts.unregisteredMmio === 'all-ones') return { kind: 'answer', value: allOnes(size) };
  const what = `a ${size}-byte ${write ? 'write to' : 'read from'} ${hex(address)}`;
  return {
    kind: 'vmm-exit',
    passable: 'memory accesses that nobody has',
    reason: `${what}: neither a device nor the fallback handler of the hole below 4 GiB has this address. bhyve prints "Unhandled memory access to ${hex(address)}" and "Failed to emulate instruction sequence", and aborts`,
  };
}

/** vmexit_suspend: VM_SUSPEND_TRIPLEFAULT. */
export const TRIPLE_FAULT: Verdict = {
  kind: 'vmm-exit',
  exitStatus: EXIT.tripleFault,
  reason: `vmm suspends the guest (VM_SUSPEND_TRIPLEFAULT) and bhyve ends with status ${EXIT.tripleFault}`,
};
