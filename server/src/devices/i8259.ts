/**
 * The pair of Intel 8259A interrupt controllers of a PC, the second cascaded into input 2 of the first, with the
 * edge/level control registers (ELCR) of the PIIX at 0x4D0 and 0x4D1. Intel 231468, 8259A data sheet. As in VMMs, an edge
 * stays latched when its line falls before the acknowledge, where the chip would give the spurious vector of input 7.
 */
import type { Device, DeviceState, InterruptLine } from './device';

interface Chip {
  /** Requests, in-service and mask, bit n for input n. */
  irr: number;
  isr: number;
  imr: number;
  /** Levels of the inputs. */
  lines: number;
  /** Inputs that are level triggered. */
  elcr: number;
  vector: number;
  /** The input of lowest priority; the one after it is the highest. */
  lowest: number;
  /** The initialization word that is expected next at the odd port; 0 when none. */
  nextIcw: 0 | 2 | 3 | 4;
  needsIcw4: boolean;
  single: boolean;
  autoEoi: boolean;
  rotateOnAutoEoi: boolean;
  specialMask: boolean;
  specialFullyNested: boolean;
  readIsr: boolean;
  poll: boolean;
}

const RESET: Chip = {
  irr: 0,
  isr: 0,
  imr: 0,
  lines: 0,
  elcr: 0,
  vector: 0,
  lowest: 7,
  nextIcw: 0,
  needsIcw4: false,
  single: false,
  autoEoi: false,
  rotateOnAutoEoi: false,
  specialMask: false,
  specialFullyNested: false,
  readIsr: false,
  poll: false,
};

const CASCADE = 2;
/** ELCR bits that can be set: inputs 0, 1, 2, 8 and 13 are always edge triggered. */
const ELCR_WRITABLE = [0xf8, 0xde] as const;

export class I8259Pair implements Device {
  readonly name = '8259A pair';
  readonly eightBits = true;
  readonly ports = [
    { start: 0x20, end: 0x22 },
    { start: 0xa0, end: 0xa2 },
    { start: 0x4d0, end: 0x4d2 },
  ];
  private chips: [Chip, Chip] = [{ ...RESET }, { ...RESET }];
  private output = false;

  /** `intr` is called with the level of the first chip's INT output when it changes. */
  constructor(private readonly intr: InterruptLine) {}

  /** The wire into input `irq`, 0 to 15. */
  line(irq: number): InterruptLine {
    return (level) => this.setLine(irq, level);
  }

  setLine(irq: number, level: boolean): void {
    const chip = this.chips[irq >> 3]!;
    const bit = 1 << (irq & 7);
    const was = (chip.lines & bit) !== 0;
    chip.lines = level ? chip.lines | bit : chip.lines & ~bit;
    if ((chip.elcr & bit) !== 0) chip.irr = level ? chip.irr | bit : chip.irr & ~bit;
    else if (level && !was) chip.irr |= bit;
    this.update();
  }

  /** Makes an input level triggered, as firmware does through ELCR and a VMM for its PCI devices. */
  setLevelTriggered(irq: number): void {
    this.chips[irq >> 3]!.elcr |= 1 << (irq & 7);
  }

  /** The INTA cycles: the vector of the highest request, or the spurious one of input 7. */
  acknowledge(): number {
    const [first, second] = this.chips;
    const irq = highestRequest(first, true);
    if (irq < 0) return first.vector + 7;
    takeInService(first, irq);
    let vector = first.vector + irq;
    if (irq === CASCADE) {
      const inner = highestRequest(second, false);
      if (inner >= 0) takeInService(second, inner);
      vector = second.vector + (inner < 0 ? 7 : inner);
    }
    this.update();
    return vector;
  }

  readPort(port: number): number {
    if (port >= 0x4d0) return this.chips[port & 1]!.elcr;
    const chip = this.chips[port >= 0xa0 ? 1 : 0];
    if (chip.poll) {
      chip.poll = false;
      const irq = highestRequest(chip, port < 0xa0);
      if (irq < 0) return 0;
      takeInService(chip, irq);
      this.update();
      return 0x80 | irq;
    }
    if ((port & 1) !== 0) return chip.imr;
    return chip.readIsr ? chip.isr : chip.irr;
  }

  writePort(port: number, _size: number, value: number): void {
    const byte = value & 0xff;
    if (port >= 0x4d0) {
      const chip = this.chips[port & 1]!;
      chip.elcr = byte & ELCR_WRITABLE[port & 1]!;
      chip.irr |= chip.lines & chip.elcr;
    } else {
      const chip = this.chips[port >= 0xa0 ? 1 : 0];
      if ((port & 1) !== 0) writeData(chip, byte);
      else if ((byte & 0x10) !== 0) initialize(chip, byte);
      else if ((byte & 0x08) !== 0) writeOcw3(chip, byte);
      else writeOcw2(chip, byte);
    }
    this.update();
  }

  reset(): void {
    this.chips = [{ ...RESET }, { ...RESET }];
    this.update();
  }

  save(): DeviceState {
    return structuredClone({ chips: this.chips, output: this.output });
  }

  restore(state: DeviceState): void {
    const saved = structuredClone(state) as unknown as { chips: [Chip, Chip]; output: boolean };
    this.chips = saved.chips;
    this.output = saved.output;
  }

  private update(): void {
    const [first, second] = this.chips;
    const bit = 1 << CASCADE;
    if (highestRequest(second, false) >= 0) {
      first.lines |= bit;
      first.irr |= bit;
    } else {
      first.lines &= ~bit;
      first.irr &= ~bit;
    }
    const up = highestRequest(first, true) >= 0;
    if (up === this.output) return;
    this.output = up;
    this.intr(up);
  }
}

/** The unmasked request of the highest priority that no input in service holds back, or -1. */
function highestRequest(chip: Chip, first: boolean): number {
  const requests = chip.irr & ~chip.imr;
  if (requests === 0) return -1;
  const blocking = chip.specialMask ? chip.isr & ~chip.imr : chip.isr;
  for (let step = 1; step <= 8; step++) {
    const input = (chip.lowest + step) & 7;
    const requested = (requests & (1 << input)) !== 0;
    // The special fully nested mode lets a higher input of the second chip through, and nothing below it.
    const nested = chip.specialFullyNested && first && input === CASCADE;
    if ((blocking & (1 << input)) !== 0) return nested && requested ? input : -1;
    if (requested) return input;
  }
  return -1;
}

function takeInService(chip: Chip, input: number): void {
  const bit = 1 << input;
  if (!chip.autoEoi) chip.isr |= bit;
  else if (chip.rotateOnAutoEoi) chip.lowest = input;
  if ((chip.elcr & bit) === 0) chip.irr &= ~bit;
}

/** ICW1: everything but the vector, ELCR and the levels of the inputs starts anew. */
function initialize(chip: Chip, byte: number): void {
  const { lines, elcr, vector } = chip;
  Object.assign(chip, RESET, { lines, elcr, vector, irr: lines & elcr });
  chip.nextIcw = 2;
  chip.needsIcw4 = (byte & 0x01) !== 0;
  chip.single = (byte & 0x02) !== 0;
}

function writeData(chip: Chip, byte: number): void {
  switch (chip.nextIcw) {
    case 0:
      chip.imr = byte;
      break;
    case 2:
      chip.vector = byte & 0xf8;
      chip.nextIcw = !chip.single ? 3 : chip.needsIcw4 ? 4 : 0;
      break;
    case 3:
      // The wiring of the cascade is fixed on a PC.
      chip.nextIcw = chip.needsIcw4 ? 4 : 0;
      break;
    case 4:
      chip.specialFullyNested = (byte & 0x10) !== 0;
      chip.autoEoi = (byte & 0x02) !== 0;
      chip.nextIcw = 0;
      break;
  }
}

function writeOcw3(chip: Chip, byte: number): void {
  if ((byte & 0x04) !== 0) chip.poll = true;
  else if ((byte & 0x02) !== 0) chip.readIsr = (byte & 0x01) !== 0;
  if ((byte & 0x40) !== 0) chip.specialMask = (byte & 0x20) !== 0;
}

/** End of interrupt and rotation: bits 7:5 are R, SL and EOI. */
function writeOcw2(chip: Chip, byte: number): void {
  const rotate = (byte & 0x80) !== 0;
  const specific = (byte & 0x40) !== 0;
  const level = byte & 7;
  if ((byte & 0x20) !== 0) {
    const input = specific ? level : highestInService(chip);
    if (input < 0) return;
    chip.isr &= ~(1 << input);
    if (rotate) chip.lowest = input;
  } else if (specific) {
    if (rotate) chip.lowest = level;
  } else {
    chip.rotateOnAutoEoi = rotate;
  }
}

function highestInService(chip: Chip): number {
  const served = chip.specialMask ? chip.isr & ~chip.imr : chip.isr;
  for (let step = 1; step <= 8; step++) {
    const input = (chip.lowest + step) & 7;
    if ((served & (1 << input)) !== 0) return input;
  }
  return -1;
}
