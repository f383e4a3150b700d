/** SDM vol. 1, 5.1.10: flag control. */
import type { Chapter } from './spec';

const LONG = { in: [64] } as const;
const ONLY32 = { in: [32] } as const;

export const FLAGS: Chapter = {
  title: 'Flag control',
  rows: [
    ['STC', 'stc', '', '', '-----C'],
    ['CLC', 'clc', 'CF=1', '', '-----c'],
    ['CMC', 'cmc', 'CF=1', '', '-----c'],
    ['CLD', 'cld', 'DF=1', 'DF=0'],
    ['STD', 'std', '', 'DF=1'],
    ['LAHF', 'lahf', 'eax=11223344 CF=1 ZF=1', 'ah=43', '------', { in: [16, 32] }],
    ['SAHF', 'sahf', 'eax=d500', '', '-SZAPC', { in: [16, 32] }],
    ['SAHF keeps OF', 'sahf', 'eax=0 OF=1 CF=1', '', 'Oszapc', { in: [16, 32] }],
    ['PUSHF', 'pushfd', 'CF=1 DF=1', 'esp=stack-4 [stack-4]4=703', '------', ONLY32],
    ['PUSHF of 16 bits', 'pushfw', 'CF=1', 'sp=stack-2 [stack-2]2=303'],
    ['PUSHFQ', 'pushfq', 'ZF=1', 'rsp=stack-8 [stack-8]8=342', '------', LONG],
    ['POPF', 'popfd', '[stack]4=fd7', 'esp=stack+4 DF=1', 'OSZAPC', ONLY32],
    ['POPF at CPL 3 keeps IF and IOPL', 'popfd', '[stack]4=3102', 'esp=stack+4', 'oszapc', ONLY32],
    [
      'POPF sets ID and AC',
      'popfd',
      '[stack]4=240302',
      'esp=stack+4 ID=1 AC=1',
      'oszapc',
      { in: ['pae-user'] },
    ],
    ['POPF of 16 bits keeps ID', 'popfw', 'ID=1 [stack]2=302', 'sp=stack+2', 'oszapc', { in: ['pae-user'] }],
    ['CLI at CPL 3', 'cli', '', '#GP(0)'],
    ['STI at CPL 3', 'sti', '', '#GP(0)'],
    ['CLI at CPL 0', 'cli', '', 'IF=0', '------', { cpl: 0 }],
    ['STAC without SMAP', 'db 0x0f, 0x01, 0xcb', '', '#UD', '------', { in: ['pae', 'long'] }],
  ],
};
