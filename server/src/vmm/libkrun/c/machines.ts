/** The guests that a C text sets up: one for each context that krun_set_vm_config is called for. */
import { MIB } from '../../../address/range';
import type { ImageReference, ImageRole, Machine, Setting } from '../../../machine/machine';
import { fromText, type Fact } from '../../../machine/origin';
import type { SourceText } from '../../../text/sourceText';
import { KERNEL_FORMATS, SETTING } from '../guestFacts';
import { layOutLibkrun, libkrunOrigin } from '../layout';
import type { LibkrunVersion } from '../versions';
import { API_CALLS } from './calls';
import type { CArgument, CCall } from './scan';

/** One context: from its krun_create_ctx to the next one. The last krun_set_vm_config counts. */
export interface KrunContext {
  readonly config: CCall;
  readonly calls: readonly CCall[];
}

/** Contexts without a krun_set_vm_config are none; in the order of their first calls. */
export function contextsOf(calls: readonly CCall[]): KrunContext[] {
  const groups = [new Map<string, CCall[]>()];
  for (const call of calls) {
    if (call.name === 'krun_create_ctx' && groups.at(-1)!.size > 0) groups.push(new Map());
    const group = groups.at(-1)!;
    const context = contextOf(call);
    const own = group.get(context);
    if (own) own.push(call);
    else group.set(context, [call]);
  }
  return groups
    .flatMap((group) => [...group.values()])
    .flatMap((own) => {
      const config = own.findLast(({ name }) => name === 'krun_set_vm_config');
      return config ? [{ config, calls: own }] : [];
    });
}

/** The first argument as written: which context it is about. */
function contextOf(call: CCall): string {
  const first = call.arguments[0];
  if (!first) return '';
  return first.kind === 'other' ? first.text : first.kind === 'number' ? String(first.value) : first.kind;
}

/** One for each context; the second and later ones have a number behind the file's name. */
export function machinesOf(
  source: SourceText,
  contexts: readonly KrunContext[],
  version: LibkrunVersion,
): Machine[] {
  const base = source.name || 'libkrun guest';
  return contexts.map((context, index) => {
    const { config, calls } = context;
    const name = index === 0 ? base : `${base} ${index + 1}`;
    const at = source.at(config.start, config.end);
    const guest = {
      name,
      memory: memoryOf(source, config),
      vcpus: vcpusOf(source, config, version),
      images: calls.flatMap((call) => imagesOf(source, call)),
      ...commandLineOf(source, calls),
      settings: settingsOf(source, calls),
      at,
      nameAt: source.at(config.nameSpan.start, config.nameSpan.end),
    };
    return { ...guest, vmm: 'libkrun', version: version.id, regions: layOutLibkrun(guest, version.id) };
  });
}

/** `ram_mib` is a uint32_t; null where it is no literal. */
function memoryOf(source: SourceText, config: CCall): Fact<bigint> | null {
  const ram = config.arguments[2];
  if (ram?.kind !== 'number') return null;
  return { value: BigInt.asUintN(32, ram.value) * MIB, origin: fromText(source.at(ram.start, ram.end)) };
}

/** `num_vcpus` is a uint8_t, so C cuts what is larger. */
function vcpusOf(source: SourceText, config: CCall, version: LibkrunVersion): Fact<number> {
  const count = config.arguments[1];
  if (count?.kind !== 'number') {
    return {
      value: 1,
      origin: libkrunOrigin(version.id, 'include/libkrun.h: num_vcpus is no literal here, 1 is taken'),
    };
  }
  return {
    value: Number(BigInt.asUintN(8, count.value)),
    origin: fromText(source.at(count.start, count.end)),
  };
}

/** Which argument, counted without the context, is an image of which role. */
const IMAGES: Readonly<Record<string, readonly (readonly [index: number, role: ImageRole])[]>> = {
  krun_set_kernel: [
    [0, 'kernel'],
    [2, 'initrd'],
  ],
  krun_set_firmware: [[0, 'firmware']],
  krun_set_root_disk: [[0, 'disk']],
  krun_set_data_disk: [[0, 'disk']],
  krun_add_disk: [[1, 'disk']],
  krun_add_disk2: [[1, 'disk']],
  krun_add_disk3: [[1, 'disk']],
};

function imagesOf(source: SourceText, call: CCall): ImageReference[] {
  return (IMAGES[call.name] ?? []).flatMap(([index, role]) => {
    const path = call.arguments[index + 1];
    if (path?.kind === 'string')
      return [{ role, path: path.value, origin: fromText(source.at(path.start, path.end)) }];
    // A path that the program works out is still an image; NULL is none.
    return path?.kind === 'other' && path.text !== ''
      ? [{ role, path: path.text, origin: fromText(source.at(path.start, path.end)) }]
      : [];
  });
}

function commandLineOf(source: SourceText, calls: readonly CCall[]): { commandLine?: Fact<string> } {
  const line = lastKernel(calls)?.arguments[4];
  return line?.kind === 'string'
    ? { commandLine: { value: line.value, origin: fromText(source.at(line.start, line.end)) } }
    : {};
}

function lastKernel(calls: readonly CCall[]): CCall | undefined {
  return calls.findLast(({ name }) => name === 'krun_set_kernel');
}

/** Every literal argument by `call.parameter`, and what the model looks at. */
function settingsOf(source: SourceText, calls: readonly CCall[]): Map<string, Fact<Setting>> {
  const settings = new Map<string, Fact<Setting>>();
  const put = (key: string, value: Setting, at: { readonly start: number; readonly end: number }) =>
    settings.set(key, { value, origin: fromText(source.at(at.start, at.end)) });
  let serial = 0n;
  let shared = 0n;
  for (const call of calls) {
    const names = API_CALLS[call.name]?.parameters ?? [];
    call.arguments.slice(1).forEach((argument, index) => {
      const value = settingOf(argument);
      const parameter = names[index];
      if (parameter !== undefined && value !== null) put(`${call.name}.${parameter}`, value, argument);
    });
    if (call.name === 'krun_add_serial_console_default') put(SETTING.serialConsole, ++serial, call);
    if (call.name === 'krun_disable_implicit_console') put(SETTING.noImplicitConsole, true, call);
    if (call.name === 'krun_set_root' || call.name === 'krun_set_root_disk_remount')
      put(SETTING.root, true, call);
    const console = call.name === 'krun_set_kernel_console' ? call.arguments[1] : undefined;
    if (console?.kind === 'string') put(SETTING.kernelConsole, console.value, console);
    const size = /^krun_add_virtiofs[23]$/.test(call.name) ? call.arguments[3] : undefined;
    if (size?.kind === 'number' && size.value > 0n) put(SETTING.sharedMemory, (shared += size.value), size);
  }
  const kernel = lastKernel(calls);
  const format = kernel?.arguments[2];
  if (format?.kind === 'number') {
    put(SETTING.kernelFormat, KERNEL_FORMATS[Number(BigInt.asUintN(32, format.value))] ?? 'unknown', format);
  }
  const line = kernel?.arguments[4];
  if (line?.kind === 'other' && line.text !== '') put(SETTING.computedCommandLine, true, line);
  return settings;
}

function settingOf(argument: CArgument): Setting | null {
  return argument.kind === 'other' || argument.kind === 'null' ? null : argument.value;
}
