/** CPU state in JSON and in text. All values are lower-case hex strings, names are the 64-bit ones. */
import { hex } from '../address/format';
import { GENERAL_REGISTERS, SEGMENTS, type SegmentState, type VcpuState } from '../x86/state';

function segmentJson(segment: SegmentState): object {
  return {
    selector: hex(segment.selector),
    base: hex(segment.base),
    limit: hex(segment.limit >>> 0),
    attributes: hex(segment.attributes >>> 0),
  };
}

/** `registers` of the JSON contract. */
export function registersJson(state: VcpuState): Record<string, unknown> {
  const json: Record<string, unknown> = {};
  for (const name of GENERAL_REGISTERS) json[name] = hex(state.general[name]);
  for (const name of ['rip', 'rflags', 'cr0', 'cr2', 'cr3', 'cr4', 'cr8', 'efer'] as const) {
    json[name] = hex(state[name]);
  }
  for (const name of SEGMENTS) json[name] = segmentJson(state.segments[name]);
  for (const name of ['gdtr', 'idtr'] as const) {
    json[name] = { base: hex(state[name].base), limit: hex(state[name].limit) };
  }
  return json;
}

const padded = (value: bigint): string => value.toString(16).padStart(16, '0');

/** Four general registers a line, then control registers and the segments that decide the mode. */
export function registersText(state: VcpuState): string[] {
  const lines: string[] = [];
  for (let i = 0; i < GENERAL_REGISTERS.length; i += 4) {
    lines.push(
      GENERAL_REGISTERS.slice(i, i + 4)
        .map((name) => `${name.padEnd(3)} ${padded(state.general[name])}`)
        .join('  '),
    );
  }
  lines.push(`rip ${padded(state.rip)}  rflags ${hex(state.rflags)}  efer ${hex(state.efer)}`);
  lines.push(`cr0 ${hex(state.cr0)}  cr2 ${hex(state.cr2)}  cr3 ${hex(state.cr3)}  cr4 ${hex(state.cr4)}`);
  for (const name of ['cs', 'ss', 'ds', 'tr'] as const) {
    const { selector, base, limit, attributes } = state.segments[name];
    lines.push(
      `${name}  ${selector.toString(16).padStart(4, '0')}  base ${hex(base)}  limit ${hex(limit >>> 0)}  attributes ${hex(attributes >>> 0)}`,
    );
  }
  lines.push(
    `gdtr base ${hex(state.gdtr.base)} limit ${hex(state.gdtr.limit)}  idtr base ${hex(state.idtr.base)} limit ${hex(state.idtr.limit)}`,
  );
  return lines;
}
