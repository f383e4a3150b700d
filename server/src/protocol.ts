/**
 * Every custom request and notification between client and server. Addresses are lower-case hex strings on the wire,
 * ranges half-open. Both sides import this file; it imports nothing but types.
 */
import type { VmmChoice } from './machine/language';
import type { WireMachine } from './machine/wire';
import type { WireFinding } from './features/wireFinding';
import type { Outcome } from './machine/outcome';

export type { WireMachine, WireRegion } from './machine/wire';

/** What a document was recognised as: for the language status item. */
export interface StatusResult {
  readonly language: string | null;
  readonly vmm: string | null;
  readonly version: string | null;
  /** Who chose the version: the user for this document, the text itself, the setting, or nobody. */
  readonly reason: 'asked' | 'pragma' | 'setting' | 'newest' | null;
  /** Oldest first; empty where the language has no VMM. */
  readonly versions: readonly { readonly id: string; readonly title: string }[];
}

export const StatusRequest = 'bootpath/status';
export interface StatusParams {
  readonly uri: string;
}

/** Sets the VMM version for a document, as a click on the status item does; null goes back to pragma or newest. */
export const ChooseVersionRequest = 'bootpath/chooseVersion';
export interface ChooseVersionParams {
  readonly uri: string;
  readonly version: string | null;
}

export const LayoutRequest = 'bootpath/layout';
export interface LayoutParams {
  readonly uri: string;
}
export interface LayoutResult {
  readonly machines: readonly WireMachine[];
}

/** Two machines side by side in words. An error where one of them is not there. */
export const CompareLayoutsRequest = 'bootpath/compareLayouts';
export interface ComparedMachine {
  readonly uri: string;
  readonly machine: string;
}
export interface CompareLayoutsParams {
  readonly left: ComparedMachine;
  readonly right: ComparedMachine;
}
export interface CompareLayoutsResult {
  readonly text: string;
}

/** The region or machine at a position, for the picture hover. Null where there is none. */
export const RegionAtRequest = 'bootpath/regionAt';
export interface RegionAtParams {
  readonly uri: string;
  readonly position: { readonly line: number; readonly character: number };
}
export interface RegionAtResult {
  readonly machine: WireMachine;
  /** Indices into `machine.regions` of those that this line produced. */
  readonly selected: readonly number[];
}

/** The VMMs that a machine can be booted under, and the known issues that can be shown. */
export const ModelsRequest = 'bootpath/models';
export interface ModelsResult {
  readonly models: readonly {
    readonly name: string;
    readonly title: string;
    /** Oldest first. */
    readonly versions: readonly { readonly id: string; readonly title: string }[];
    readonly knownIssues: readonly { readonly id: string; readonly title: string }[];
  }[];
}

/** Boots a machine in the worker. Progress and cancel by the LSP's own means (`workDoneToken`, `$/cancelRequest`). */
export const SimulateRequest = 'bootpath/simulate';
export interface SimulateParams {
  readonly uri: string;
  readonly machine: string;
  readonly firmware: string | null;
  readonly kernel: string | null;
  readonly probe: string | null;
  readonly taps: readonly number[];
  readonly maxInstructions: number;
  /** Under this VMM instead of the config's own. */
  readonly as?: VmmChoice | null;
  /** Beside this one, to find where the two part. */
  readonly compare?: VmmChoice | null;
  /** Shows this known issue with this machine: its own probe and versions in the place of images. */
  readonly knownIssue?: string | null;
  readonly workDoneToken?: string | number;
}
export interface SimulateResult {
  readonly outcome: Outcome;
  /** A few words for beside the lens: `reset by port 0x64 after 1.2 M instructions`. */
  readonly summary: string;
  /** The report for the output channel; places are written `path:line:column`. */
  readonly text: string;
  readonly findings: readonly WireFinding[];
}

/** Boots an image without a config on the plain PC; progress, cancel and result as of SimulateRequest. */
export const SimulateImageRequest = 'bootpath/simulateImage';
export interface SimulateImageParams {
  /** Absolute. */
  readonly path: string;
  /** Without the image's name. */
  readonly commandLine: string;
  /** Absolute path of an initial RAM disk, or null for none. */
  readonly initrd: string | null;
  /** In MiB. */
  readonly memory: number;
  readonly vcpus: number;
  readonly maxInstructions: number;
  readonly workDoneToken?: string | number;
}

export type { WireFinding };

/** Decodes crash text against the given configs; an empty list takes every open one. */
export const DecodeRequest = 'bootpath/decode';
export interface DecodeParams {
  readonly text: string;
  /** Where the text came from, for links back into it; null for the clipboard. */
  readonly uri: string | null;
  readonly configs: readonly string[];
}
export interface DecodeResult {
  readonly recognised: boolean;
  /** The report for the output channel; places are written `path:line:column`. */
  readonly text: string;
  readonly findings: readonly WireFinding[];
}
