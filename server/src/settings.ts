/** The user's settings, checked where they come in: what is invalid falls back to its default with one log line. */
import * as z from 'zod/mini';
import type { InlayHintSettings } from './features/inlayHints';
import type { Severity } from './text/finding';
import { VMM_MODELS } from './vmm/models';

export interface Settings {
  /** A level by code; codes that are not named keep their own. */
  readonly severity: Readonly<Record<string, Severity | 'off'>>;
  /** A VMM's version, by its name, where neither the user's choice nor a pragma names one; the newest otherwise. */
  readonly versions: Readonly<Record<string, string>>;
  /** Whether to ask this host for the files that a config names. */
  readonly checkHost: boolean;
  readonly codeLens: boolean;
  readonly inlayHints: InlayHintSettings;
}

export const DEFAULT_SETTINGS: Settings = {
  severity: {},
  versions: {},
  checkHost: false,
  codeLens: true,
  inlayHints: { end: true, size: true, kind: true },
};

const Level = z.enum(['error', 'warning', 'information', 'hint', 'off']);
const Flag = z.boolean();
const Version = z.nullable(z.string());

/**
 * Reads the `bootpath` section as a client sends it: any JSON at all. `log` is called once for each value that is
 * invalid.
 */
export function readSettings(section: unknown, log: (line: string) => void): Settings {
  const valueAt = (path: string): unknown =>
    path.split('.').reduce<unknown>((value, key) => {
      return value !== null && typeof value === 'object' && Object.hasOwn(value, key)
        ? (value as Record<string, unknown>)[key]
        : undefined;
    }, section);
  const read = <T>(path: string, schema: z.ZodMiniType<T>, fallback: T): T => {
    const value = valueAt(path);
    if (value === undefined) return fallback;
    const result = schema.safeParse(value);
    if (result.success) return result.data;
    const shown = JSON.stringify(fallback);
    log(
      `setting bootpath.${path}: ${result.error.issues[0]?.message ?? 'invalid'}; using the default ${shown}`,
    );
    return fallback;
  };
  const inlayHint = (kind: keyof InlayHintSettings) =>
    read(`inlayHints.${kind}`, Flag, DEFAULT_SETTINGS.inlayHints[kind]);
  const versions = VMM_MODELS.flatMap(({ name }) => {
    const text = read(`${name}.version`, Version, null)?.trim() ?? '';
    const version = text.startsWith(`${name}@`) ? text.slice(name.length + 1) : text;
    return version === '' ? [] : [[name, version] as const];
  });
  return {
    severity: readLevels(valueAt('severity'), log),
    versions: Object.fromEntries(versions),
    checkHost: read('checkHost', Flag, DEFAULT_SETTINGS.checkHost),
    codeLens: read('codeLens', Flag, DEFAULT_SETTINGS.codeLens),
    inlayHints: { end: inlayHint('end'), size: inlayHint('size'), kind: inlayHint('kind') },
  };
}

/** Each code stands for itself: one wrong level does not lose the others. */
function readLevels(value: unknown, log: (line: string) => void): Settings['severity'] {
  if (value === undefined || value === null) return {};
  if (typeof value !== 'object' || Array.isArray(value)) {
    log('setting bootpath.severity: expected an object of codes and levels; using the default {}');
    return {};
  }
  const levels: [string, z.infer<typeof Level>][] = [];
  for (const [code, level] of Object.entries(value)) {
    const result = Level.safeParse(level);
    if (result.success) levels.push([code, result.data]);
    else
      log(
        `setting bootpath.severity: the level of "${code}" is none of ${Level.options.join(', ')}; ignored`,
      );
  }
  return Object.fromEntries(levels);
}
