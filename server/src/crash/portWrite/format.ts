/** Logs and traces in which the guest resets the machine through a port (F7, F13): VMMs say nothing else of it. */
import { hex } from '../../address/format';
import type { Hypothesis } from '../../machine/knownIssue';
import { defineFormat } from '../dumpFormat';
import { libkrunI8042Reset } from '../knownIssues';
import { PORT_WRITE_SIGN } from './lines';
import { resetFacts, type ResetFacts } from './facts';
import { guestReset, silentCommandLine } from './rules/guestReset';
import { libkrunI8042ResetMatch, libkrunMatch } from './rules/libkrunI8042Reset';
import { PortWriteScanner } from './scanner';

export const portWrite = defineFormat({
  id: 'port-write',
  plural: 'resets through a port',
  sign: PORT_WRITE_SIGN,
  lineStarts: [],
  joined: [],
  looksFor:
    'a reset through a port: a line that says that the guest wrote 0xfe to port 0x64, bits 2:1 to 0xcf9 or bit 0 to 0x92, such as "OUT 0x64, 0xFE", "pio write port 0x64 data fe" or KVM’s trace "pio_write at 0x64 size 1 count 1 val 0xfe"',
  rules: [libkrunI8042ResetMatch, guestReset, silentCommandLine],
  scanner: () => new PortWriteScanner(),
  facts: resetFacts,
  title: ({ request: { write }, around: { vmm } }: ResetFacts) =>
    `Reset by the guest: ${hex(write.value)} written to port ${hex(write.port)}${vmm ? ` (${vmm.value})` : ''}`,
  verdict: ({ request, withGuestCrash }: ResetFacts) => {
    const how = `The guest asked for a reset (${hex(request.write.value)} to port ${hex(request.write.port)}); it did not power off.`;
    return withGuestCrash
      ? `${how} The text also has a crash of a Linux guest, which probably led to it.`
      : `${how} The reason is not recorded.`;
  },
  hypotheses: (facts): readonly Hypothesis[] =>
    libkrunMatch(facts) === null ? [] : libkrunI8042Reset.hypotheses,
  addresses: () => [],
});
