/** Where two boots part, as JSON and as text. */
import { hex } from '../address/format';
import type { Comparison, Divergence, Parting } from '../simulation/comparison';
import type { Access } from '../simulation/runObserver';
import { msrName } from '../x86/msr';
import { portName } from '../x86/ports';
import { wire } from './bootReport';
import { registersJson, registersText } from './registers';
import { describe, ticksText } from './timeline';

type Compared = Pick<Comparison, 'divergence' | 'start'>;

/**
 * `divergence` is `{"instructions", "left", "right"}` or null. A side is the step with the state of its vCPU, or the event
 * `end` where its run had no more; `start` lists the registers that differ before the first instruction.
 */
export function divergenceJson({ divergence, start }: Compared): object {
  return {
    divergence: divergence && {
      instructions: divergence.instructions,
      left: partingJson(divergence.left),
      right: partingJson(divergence.right),
    },
    start: start.map(wire),
  };
}

function partingJson(parting: Parting): object {
  if (!parting.step) return { event: 'end', outcome: parting.outcome, reason: parting.reason };
  const { step, registers, mode } = parting;
  return { ...(wire(step) as object), registers: registersJson(registers), mode };
}

export function divergenceText(compared: Compared, here: string, other: string): string {
  const { divergence, start } = compared;
  const lines = ['', `Compared with ${other}`];
  if (start.length > 0) {
    lines.push('  before the first instruction, on vCPU 0:');
    for (const { register, left, right } of start)
      lines.push(`    ${register.padEnd(14)} ${hex(left)} here, ${hex(right)} there`);
  }
  if (!divergence) lines.push('  the same accesses and events, and the same outcome');
  else lines.push(...partedText(divergence, here, other));
  return lines.join('\n') + '\n';
}

function partedText({ instructions, left, right }: Divergence, here: string, other: string): string[] {
  return [
    `  they part after ${ticksText(instructions)} ticks:`,
    ...sideText(here, left),
    ...sideText(other, right),
  ];
}

function sideText(name: string, parting: Parting): string[] {
  if (!parting.step) return [`  ${name}: the run had ended, ${parting.outcome}: ${parting.reason}`];
  const { step, registers, mode } = parting;
  const what = step.event === 'access' ? accessText(step) : describe(step);
  return [
    `  ${name}: vCPU ${step.vcpu}, ${mode} mode: ${what}`,
    ...registersText(registers).map((line) => `      ${line}`),
  ];
}

const NAMES: Readonly<Record<Access['kind'], string>> = {
  in: 'IN',
  out: 'OUT',
  'mmio-read': 'MMIO read',
  'mmio-write': 'MMIO write',
  hlt: 'HLT',
  cpuid: 'CPUID',
  rdmsr: 'RDMSR',
  wrmsr: 'WRMSR',
  shutdown: 'shutdown',
};

/** `IN 0x64 (keyboard controller), 1 byte → 0xff, nobody answers`. */
function accessText({ kind, address, size, value, device }: Access): string {
  const name = placeName(kind, Number(address));
  const place = `${NAMES[kind]} ${hex(address)}${name === null ? '' : ` (${name})`}`;
  const width = kind === 'cpuid' ? '' : `, ${size} ${size === 1 ? 'byte' : 'bytes'}`;
  const arrow = kind === 'out' || kind === 'mmio-write' ? '←' : '→';
  const answer = value === null ? 'no answer' : `${arrow} ${hex(value)}`;
  return `${place}${width}: ${answer}${device === null ? '' : ` (${device})`}`;
}

function placeName(kind: Access['kind'], address: number): string | null {
  if (kind === 'in' || kind === 'out') return portName(address);
  return kind === 'rdmsr' ? msrName(address) : null;
}
