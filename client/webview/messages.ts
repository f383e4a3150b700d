/** Every message between the address-space panel and its webview, checked on both sides where it comes in. */
import * as z from 'zod/mini';
import { REGION_KINDS } from '../../server/src/machine/machine';

const Position = z.object({ line: z.number(), character: z.number() });
const TextRange = z.object({ start: Position, end: Position });

const Region = z.object({
  start: z.string().check(z.regex(/^0x[0-9a-f]+$/)),
  end: z.string().check(z.regex(/^0x[0-9a-f]+$/)),
  kind: z.enum(REGION_KINDS),
  name: z.string(),
  permissions: z.nullable(z.string()),
  reason: z.string(),
  uri: z.nullable(z.string()),
  range: z.nullable(TextRange),
  approximate: z.boolean(),
  level: z.optional(z.number()),
});

const Machine = z.object({
  name: z.string(),
  vmm: z.nullable(z.string()),
  regions: z.array(Region),
  uri: z.string(),
  range: TextRange,
});

/** What the webview keeps over a reload of the window, and the serializer gets back. */
export const PanelState = z.object({
  uri: z.string(),
  /** The machine that is shown; null for the first. */
  machine: z.nullable(z.string()),
});
export type PanelState = z.infer<typeof PanelState>;

export const ToWebview = z.discriminatedUnion('type', [
  /** The layout of the document, again after each edit. `machine` is set where another one is to be shown. */
  z.object({
    type: z.literal('layout'),
    uri: z.string(),
    file: z.string(),
    machines: z.array(Machine),
    machine: z.optional(z.string()),
  }),
  /** The cursor stands on a line of a text. */
  z.object({ type: z.literal('cursor'), uri: z.string(), line: z.number() }),
  /** No layout can be had, in words. */
  z.object({ type: z.literal('problem'), text: z.string() }),
]);
export type ToWebview = z.infer<typeof ToWebview>;

export const FromWebview = z.discriminatedUnion('type', [
  /** The script runs and listens. */
  z.object({ type: z.literal('ready') }),
  /** Go to the line that produced a region. `focus`: the editor takes the keyboard. */
  z.object({
    type: z.literal('reveal'),
    uri: z.string(),
    range: TextRange,
    focus: z.boolean(),
  }),
  z.object({ type: z.literal('shown'), machine: z.string() }),
]);
export type FromWebview = z.infer<typeof FromWebview>;
