/** Whether an early panic under a kernel command line leaves any words. */

export interface SilentCommandLine {
  /** The parameters that make it so, as written. */
  readonly parameters: readonly string[];
}

/**
 * The panic restarts at once (`panic=` below 0) through the keyboard controller (`reboot=k`), and every console is a
 * virtio one, which comes up late; no early console is asked for (Linux Documentation/admin-guide/kernel-parameters.txt).
 * Null where one of these does not hold.
 */
export function silentPanic(commandLine: string): SilentCommandLine | null {
  const words = commandLine.split(/\s+/);
  if (words.some((word) => /^(?:earlyprintk|earlycon|keep_bootcon)(?:=|$)/.test(word))) return null;
  const last = (name: string): string | undefined => words.findLast((word) => word.startsWith(`${name}=`));
  const panic = last('panic');
  const reboot = last('reboot');
  const consoles = words.filter((word) => word.startsWith('console='));
  if (!panic || !/^panic=-\d/.test(panic)) return null;
  if (!reboot || !/^reboot=(?:\w{1,16},)*k(?:bd)?(?:,|$)/.test(reboot)) return null;
  if (consoles.length === 0 || !consoles.every((word) => /^console=hvc\d/.test(word))) return null;
  return { parameters: [reboot, panic, ...consoles] };
}
