/** How the interrupts of the plain PC's 8259 pair reach a CPU: the ways of the MP specification 1.4, 3.6.2, end to end. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCore } from '../../../server/emulator/core';
import { simulate } from '../../../server/src/simulation/simulate';
import { pcMachine } from '../../../server/src/vmm/pc/machine';
import { PC } from '../../../server/src/vmm/pc/model';
import { assemble, missingTools } from '../oracle/tools';
import { multibootFile } from '../../unit/simulation/multibootFile';

const skip = { skip: missingTools('nasm') };

/** The 8254 at 1 ms through IRQ 0, vector 0x20; five of its interrupts end HLT, then the guest halts for good. */
const guest = (wiring: string): string => `
        bits 32
        org 0x100020
APIC    equ 0xfee00000
IOAPIC  equ 0xfec00000
        lidt [idtr]
        mov esp, 0x90000
        mov eax, handler
        mov [0x80100], ax
        mov word [0x80102], 8
        mov dword [0x80104], 0x00108e00
        %macro out_byte 2
        mov al, %2
        out %1, al
        %endmacro
        out_byte 0x20, 0x11
        out_byte 0x21, 0x20
        out_byte 0x21, 4
        out_byte 0x21, 1
        out_byte 0x21, 0xfe
        out_byte 0x43, 0x34
        out_byte 0x40, 0xa9
        out_byte 0x40, 0x04
        xor ebx, ebx
        lgdt [gdtr]
        ${wiring}
.wait:  sti
        hlt
        cli
        cmp ebx, 5
        jb .wait
        hlt
handler:
        inc ebx
        out_byte 0x20, 0x20
        iretd
gdt:    dq 0, 0x00cf9b000000ffff, 0x00cf93000000ffff
gdtr:   dw 23
        dd gdt
idtr:   dw 0x7ff
        dd 0x80000
`;
const lint0 = (entry: number): string => `mov dword [APIC + 0x350], ${entry}\n`;
const ioapic = (entry: number): string => `mov dword [IOAPIC], 0x10\nmov dword [IOAPIC + 0x10], ${entry}\n`;

for (const [title, wiring, arrives] of [
  ['as the loader leaves it: virtual wire mode through LINT0', '', true],
  ['LINT0 masked', lint0(0x10700), false],
  ['the local APIC globally disabled: PIC mode', 'mov ecx, 0x1b\nrdmsr\nand ah, 0xf7\nwrmsr\n', true],
  ['the local APIC software-disabled', 'mov dword [APIC + 0xf0], 0xff\n', false],
  ['LINT0 masked, input 0 of the I/O APIC as ExtINT', lint0(0x10700) + ioapic(0x700), true],
  ['LINT0 masked, input 0 of the I/O APIC as ExtINT, masked', lint0(0x10700) + ioapic(0x10700), false],
  [
    'LINT0 masked, input 0 of the I/O APIC to nobody',
    lint0(0x10700) + ioapic(0x700) + 'mov dword [IOAPIC], 0x11\nmov dword [IOAPIC + 0x10], 0x07000000\n',
    false,
  ],
  ['8259 pair masked', 'out_byte 0x21, 0xff', false],
] as const)
  test(`${title}: the timer’s interrupts ${arrives ? 'arrive' : 'do not'}`, skip, () => {
    const report = simulate(
      pcMachine({ name: 'wiring', memory: 64n << 20n, vcpus: 1 }),
      PC,
      'i440fx',
      {
        machine: null,
        firmware: null,
        kernel: multibootFile(assemble(guest(wiring))),
        probe: null,
        taps: [],
        maxInstructions: 10_000_000,
        reboots: 0,
        idleSeconds: 1,
        boot: {
          protocol: null,
          imageName: 'wiring',
          commandLine: '',
          modules: [],
        },
      },
      { createCore, cancelled: () => false, progress: () => undefined },
    );
    assert.equal(report.outcome, 'halted', report.reason);
    assert.equal(report.vcpus[0]!.registers.general.rbx, arrives ? 5n : 0n);
  });
