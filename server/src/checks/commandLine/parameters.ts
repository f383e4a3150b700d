/** A Linux command line as words (torvalds/linux lib/cmdline.c, next_arg). */

/** The kernel's own parameters: what is behind `--` is init's. Quotes keep spaces. */
export function parametersOf(commandLine: string): string[] {
  const words: readonly string[] = commandLine.match(/(?:"[^"]*"?|[^\s"]+)+/g) ?? [];
  const end = words.indexOf('--');
  return (end < 0 ? words : words.slice(0, end)).map((word) => word.replaceAll('"', ''));
}

/** The values of a parameter, in order. */
export function valuesOf(parameters: readonly string[], name: string): string[] {
  return parameters.filter((word) => word.startsWith(`${name}=`)).map((word) => word.slice(name.length + 1));
}

/** True where a program fills parts of the line in: `${VAR}`, `$VAR`, `{{ }}`, `{}`. */
export function isTemplate(commandLine: string): boolean {
  return /\$\w|\$\{|\{\{|\{\w*\}|%\(/.test(commandLine);
}
