/** The state in which a document's machines start: as the text says, else as the VMM's model knows. */
import { backedMemory, type BackedMemory } from '../layout/backed';
import type { BootState, InitialVcpu } from '../../machine/bootState';
import type { Document, LanguageKind } from '../../machine/language';
import type { Machine } from '../../machine/machine';
import { onDemand } from '../../machine/onDemand';
import type { Origin } from '../../machine/origin';
import type { SourceRange } from '../../text/position';
import { vmmModel } from '../../vmm/models';
import { LinearMap } from './linearMap';

export interface Boot {
  readonly machine: Machine;
  readonly state: BootState;
  /** By the page tables in force; without a range where the source says nothing of them. */
  readonly linear: LinearMap;
  readonly memory: BackedMemory;
}

const known = new WeakMap<Machine, Boot | null>();

function bootOf(machine: Machine, language: LanguageKind): Boot | null {
  const { boot, memory } = machine;
  // Without a size no VMM lays the guest out: a plan lists regions, and what it does not say of its start nobody knows.
  const model = memory !== null || language !== 'boot-plan';
  const state =
    boot ??
    (!model || machine.vmm === null
      ? null
      : vmmModel(machine.vmm)?.bootState?.(machine, machine.version ?? ''));
  if (!state) return null;
  const linear = onDemand(() => new LinearMap(state.mappings));
  const backed = onDemand(() => backedMemory(machine));
  return {
    machine,
    state,
    get linear() {
      return linear();
    },
    get memory() {
      return backed();
    },
  };
}

/** Nothing of a memory map: what it is read for did not make it. */
export function* bootsOf(document: Document): Iterable<Boot> {
  if (document.language === 'memmap') return;
  for (const machine of document.machines) {
    let boot = known.get(machine);
    if (boot === undefined) known.set(machine, (boot = bootOf(machine, document.language)));
    if (boot) yield boot;
  }
}

/** True where a text decides it, and so a person can change it; else a VMM does. */
export function written(origin: Origin): boolean {
  return origin.kind === 'text';
}

/** Where a register was written, else the vCPU, else what is started, else the machine. */
export function placeOf({ machine }: Boot, vcpu: InitialVcpu, register: string): SourceRange | null {
  const image = machine.images.find(({ role }) => role === 'kernel' || role === 'firmware');
  const kernel = image?.origin.kind === 'text' ? image.origin : null;
  return vcpu.registersAt.get(register) ?? vcpu.at ?? kernel ?? machine.nameAt ?? machine.at;
}

/** `vCPU 1: ` where there are several. */
export function vcpuWord({ state }: Boot, { index }: InitialVcpu): string {
  return state.vcpus.length > 1 ? `vCPU ${index}: ` : '';
}

/** CR0.PG, as far as the state tells. */
export function pagingOn({ state }: InitialVcpu): boolean | undefined {
  return state.cr0 === undefined ? undefined : (state.cr0 & 0x80000000n) !== 0n;
}

export function protectedMode({ state }: InitialVcpu): boolean {
  return state.cr0 !== undefined && (state.cr0 & 1n) !== 0n;
}

/** EFER.LMA, as far as the state tells. */
export function longModeActive({ state }: InitialVcpu): boolean | undefined {
  return state.efer === undefined ? undefined : (state.efer & 0x400n) !== 0n;
}
