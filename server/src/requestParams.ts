/** The shapes of custom requests, checked where they come in: any client may send anything. */
import * as z from 'zod/mini';
import { MAX_VCPUS } from '../emulator/face';
import type * as protocol from './protocol';
import { vmmModel } from './vmm/models';

const uri = z.string();

export const NoParams: z.ZodMiniType<object> = z.object({});

export const DocumentParams: z.ZodMiniType<protocol.StatusParams & protocol.LayoutParams> = z.object({ uri });

export const ChooseVersionParams: z.ZodMiniType<protocol.ChooseVersionParams> = z.object({
  uri,
  version: z.nullable(z.string()),
});

const natural = z.number().check(z.int(), z.nonnegative());

/** A version that its VMM does not have is a mistake of the client's. */
const choice = z
  .object({ vmm: z.string(), version: z.string() })
  .check(
    z.refine(
      ({ vmm, version }) => vmmModel(vmm)?.versions.some(({ id }) => id === version) ?? false,
      'no version of a VMM that Bootpath models',
    ),
  );

const comparedMachine = z.object({ uri, machine: z.string() });

export const CompareLayoutsParams: z.ZodMiniType<protocol.CompareLayoutsParams> = z.object({
  left: comparedMachine,
  right: comparedMachine,
});

export const RegionAtParams: z.ZodMiniType<protocol.RegionAtParams> = z.object({
  uri,
  position: z.object({ line: natural, character: natural }),
});

export const SimulateParams: z.ZodMiniType<protocol.SimulateParams> = z.object({
  uri,
  machine: z.string(),
  firmware: z.nullable(z.string()),
  kernel: z.nullable(z.string()),
  probe: z.nullable(z.string()),
  taps: z.array(natural.check(z.maximum(0xffff))),
  maxInstructions: natural.check(z.positive()),
  as: z.optional(z.nullable(choice)),
  compare: z.optional(z.nullable(choice)),
  knownIssue: z.optional(z.nullable(z.string())),
  workDoneToken: z.optional(z.union([z.string(), z.number()])),
});

export const SimulateImageParams: z.ZodMiniType<protocol.SimulateImageParams> = z.object({
  path: z.string(),
  commandLine: z.string(),
  initrd: z.nullable(z.string()),
  memory: natural.check(z.minimum(2), z.maximum(512 * 1024)),
  vcpus: natural.check(z.positive(), z.maximum(MAX_VCPUS)),
  maxInstructions: natural.check(z.positive()),
  workDoneToken: z.optional(z.union([z.string(), z.number()])),
});

export const DecodeParams: z.ZodMiniType<protocol.DecodeParams> = z.object({
  text: z.string(),
  uri: z.nullable(uri),
  configs: z.array(uri),
});
