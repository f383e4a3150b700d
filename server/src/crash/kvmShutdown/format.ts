/** Logs of Firecracker and libkrun in which KVM ended a vCPU with KVM_EXIT_SHUTDOWN (F13). */
import { defineFormat } from '../dumpFormat';
import { shutdownFacts, type ShutdownFacts } from './facts';
import { SHUTDOWN_SIGN } from './lines';
import { endedWithSuccess, shutdownReported } from './rules/tripleFault';
import { ShutdownScanner } from './scanner';

const TITLES = { firecracker: 'Firecracker', libkrun: 'libkrun' } as const;

export const kvmShutdown = defineFormat({
  id: 'kvm-shutdown',
  plural: 'triple faults in a log of Firecracker or libkrun',
  sign: SHUTDOWN_SIGN,
  lineStarts: [],
  joined: [],
  looksFor:
    'a triple fault in a log of Firecracker or libkrun, "Received KVM_EXIT_SHUTDOWN signal" or "Unexpected exit reason on vcpu run: Shutdown"',
  rules: [shutdownReported, endedWithSuccess],
  scanner: () => new ShutdownScanner(),
  facts: shutdownFacts,
  title: ({ event: { vmm } }: ShutdownFacts) =>
    `Triple fault (${vmm ? TITLES[vmm] : 'Firecracker or libkrun'})`,
  verdict: ({ event: { takenFor } }: ShutdownFacts) =>
    `The guest took a triple fault, and the VMM ended with status ${takenFor === 'success' ? '0, as if all were well' : '1'}. The first fault is in no log.`,
  hypotheses: () => [],
  addresses: () => [],
});
