/** Where two boots part, as JSON and as text. */
import type { Divergence } from '../simulation/divergence';
import { wire } from './bootReport';
import { describe, ticksText } from './timeline';

/** `{"instructions", "left", "right"}` or null; an event as in the timeline, null where its run had ended. */
export function divergenceJson(divergence: Divergence | null): unknown {
  return divergence && wire(divergence);
}

export function divergenceText(divergence: Divergence | null, other: string): string {
  if (!divergence) return `\nCompared with ${other}: the same timeline and the same outcome.\n`;
  const { instructions, left, right } = divergence;
  const line = (name: string, event: Divergence['left']) =>
    `  ${name}: ${event ? `vCPU ${event.vcpu}  ${describe(event)}` : 'the run had ended'}`;
  return [
    '',
    `Compared with ${other}: they part after ${ticksText(instructions)} ticks`,
    line('here', left),
    line(other, right),
    '',
  ].join('\n');
}
