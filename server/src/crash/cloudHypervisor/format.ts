/** The log of Cloud Hypervisor: triple faults, and devices that could not be moved (F13). */
import { hex } from '../../address/format';
import { defineFormat } from '../dumpFormat';
import { logFacts, type LogFacts } from './facts';
import { LOG_SIGN } from './lines';
import { guestPhysicalBits, lostBar } from './rules/lostBar';
import { namedTripleFault, silentTripleFault } from './rules/tripleFault';
import { CloudHypervisorScanner } from './scanner';

export const cloudHypervisorLog = defineFormat({
  id: 'cloud-hypervisor-log',
  plural: 'events of a Cloud Hypervisor log',
  sign: LOG_SIGN,
  lineStarts: [],
  joined: [],
  looksFor:
    'Cloud Hypervisor’s log of a guest that ended, "VmExit::Reset", "Guest likely triple-faulted" or "Failed moving device BAR"',
  rules: [namedTripleFault, silentTripleFault, lostBar, guestPhysicalBits],
  scanner: () => new CloudHypervisorScanner(),
  facts: logFacts,
  title: ({ event }: LogFacts) =>
    event.kind === 'lost-bar'
      ? `A device could not be moved to ${hex(event.bar.to)} (Cloud Hypervisor)`
      : `Triple fault${event.named ? '' : ', unnamed'} (Cloud Hypervisor)`,
  verdict: ({ event }: LogFacts) =>
    event.kind === 'lost-bar'
      ? 'The guest and the VMM do not agree on where devices can be.'
      : 'The guest took a triple fault and was restarted. The first fault is in no log.',
  hypotheses: () => [],
  addresses: ({ event }: LogFacts) =>
    event.kind === 'lost-bar'
      ? [
          {
            what: 'new address of the BAR',
            address: event.bar.to,
            role: 'certain' as const,
            why: 'a BAR holds a guest-physical address',
            register: '',
          },
          {
            what: 'address of the BAR',
            address: event.bar.from,
            role: 'certain' as const,
            why: 'a BAR holds a guest-physical address',
            register: '',
          },
        ]
      : [],
});
