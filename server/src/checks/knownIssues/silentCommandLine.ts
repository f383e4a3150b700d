/** Whether a Linux command line hides the reason of an early panic (torvalds/linux kernel/panic.c, kernel/reboot.c). */

/** The kernel's own parameters: what is behind `--` is init's. Quotes keep spaces, as in Linux's next_arg. */
function parametersOf(commandLine: string): string[] {
  const words: readonly string[] = commandLine.match(/(?:"[^"]*"?|[^\s"]+)+/g) ?? [];
  const end = words.indexOf('--');
  return (end < 0 ? words : words.slice(0, end)).map((word) => word.replaceAll('"', ''));
}

function valuesOf(parameters: readonly string[], name: string): string[] {
  return parameters.filter((word) => word.startsWith(`${name}=`)).map((word) => word.slice(name.length + 1));
}

/**
 * True where a panic before the virtio bus is probed reboots at once through the keyboard controller, and no console is up to
 * say why: panic= below 0, reboot=k, virtio consoles only, and no boot console. The last panic= and reboot= count.
 */
export function hidesEarlyPanic(commandLine: string): boolean {
  const parameters = parametersOf(commandLine);
  const panic = valuesOf(parameters, 'panic').at(-1) ?? '';
  const reboot = valuesOf(parameters, 'reboot').at(-1) ?? '';
  const consoles = valuesOf(parameters, 'console');
  const bootConsole = [...valuesOf(parameters, 'earlyprintk'), ...valuesOf(parameters, 'earlycon')];
  return (
    /^-\d+$/.test(panic) &&
    Number(panic) < 0 &&
    reboot.split(',').some((mode) => mode.startsWith('k')) &&
    consoles.length > 0 &&
    consoles.every((console) => /^hvc\d+(?:,|$)/.test(console)) &&
    bootConsole.every((value) => value === '')
  );
}
