/**
 * The kernel's command line as libkrun composes it (src/vmm/src/vmm_config/kernel_cmdline.rs, DEFAULT_KERNEL_CMDLINE;
 * src/libkrun/src/lib.rs, krun_start_enter; src/vmm/src/builder.rs, build_microvm).
 */
import { hex } from '../../address/format';
import { FIRST_IRQ, MMIO_START, VIRTIO_MMIO_SIZE } from './addresses';
import type { LibkrunGuest } from './guestFacts';
import type { LibkrunFacts } from './versions';

/** What the VMM starts the command line with where the caller gives none; on macOS it is the same. */
function libkrunDefaultCommandLine({ noModule }: Pick<LibkrunFacts, 'noModule'>): string {
  return `reboot=k panic=-1 panic_print=0 ${noModule} console=hvc0 rootfstype=virtiofs rw quiet no-kvmapf init=/init.krun`;
}

/** virtio devices in the order in which they are attached, as far as every guest has them. */
function devices({ implicitConsole, rootFileSystem }: LibkrunGuest): number {
  const always = 2; // balloon and entropy source
  return always + (implicitConsole ? 1 : 0) + (rootFileSystem ? 1 : 0);
}

/**
 * `own` is the command line of krun_set_kernel, or null for the VMM's. What krun_set_exec, krun_set_env and the like add for
 * libkrun's init is left out: the kernel only passes it on.
 */
export function libkrunCommandLine(own: string | null, guest: LibkrunGuest, facts: LibkrunFacts): string {
  const start = own ?? libkrunDefaultCommandLine(facts);
  const line = guest.kernelConsole === null ? start : withConsole(start, guest.kernelConsole);
  const buses = Array.from({ length: devices(guest) }, (_, index) => {
    const at = MMIO_START + BigInt(index) * VIRTIO_MMIO_SIZE;
    return ` virtio_mmio.device=4K@${hex(at)}:${FIRST_IRQ + index}`;
  });
  return line + buses.join('');
}

/** The first `console=` up to the next space, wherever it occurs again too (`str::replace`). */
function withConsole(line: string, name: string): string {
  const start = line.indexOf('console=');
  if (start < 0) return line;
  const space = line.indexOf(' ', start);
  const old = line.slice(start, space < 0 ? undefined : space);
  return line.replaceAll(old, `console=${name}`);
}
