/** Whether a Linux command line hides the reason of an early panic (torvalds/linux kernel/panic.c, kernel/reboot.c). */
import { parametersOf, valuesOf } from './parameters';

/**
 * True where a panic before the virtio bus is probed reboots at once through the keyboard controller, and no console is up to
 * say why: panic= below 0, reboot=k, virtio consoles only, and no boot console. The last panic= and reboot= count.
 */
export function hidesEarlyPanic(commandLine: string): boolean {
  const parameters = parametersOf(commandLine);
  const panic = valuesOf(parameters, 'panic').at(-1) ?? '';
  const reboot = valuesOf(parameters, 'reboot').at(-1) ?? '';
  return (
    /^-\d+$/.test(panic) &&
    Number(panic) < 0 &&
    reboot.split(',').some((mode) => mode.startsWith('k')) &&
    !hasEarlyConsole(parameters)
  );
}

/**
 * The last panic= where it restarts the guest, at once (below 0) or after so many seconds, while no console is up before the
 * virtio bus is probed: virtio consoles only, and no boot console. Null for any other line. However the guest restarts, what it
 * had to say is lost.
 */
export function silentPanic(commandLine: string): number | null {
  const parameters = parametersOf(commandLine);
  const panic = valuesOf(parameters, 'panic').at(-1) ?? '';
  if (!/^-?\d{1,9}$/.test(panic) || Number(panic) === 0) return null;
  return hasEarlyConsole(parameters) ? null : Number(panic);
}

/** Whether a console may be up before the virtio bus is probed; true where no console= says which. */
function hasEarlyConsole(parameters: readonly string[]): boolean {
  const consoles = valuesOf(parameters, 'console');
  const boot = [...valuesOf(parameters, 'earlyprintk'), ...valuesOf(parameters, 'earlycon')];
  const virtio = consoles.length > 0 && consoles.every((console) => /^hvc\d+(?:,|$)/.test(console));
  return !virtio || boot.some((value) => value !== '');
}
