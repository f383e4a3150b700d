/** The x86s that `npm run test:core -- --oracle NAME` compares the core with, beyond what every run does. */
import { existsSync, readFileSync } from 'node:fs';
import type { CpuVendor } from '../../../server/src/x86/cpuid/answers';
import type { OracleName } from './explained';
import { missingHost } from './hostCpu';
import { onBochs, onHost, onQemu, type Runner } from './stepper/runners';
import type { Mode } from './stepper/stage';
import { missingTools } from './tools';

export interface Oracle {
  readonly name: OracleName | 'kvm';
  /** Why it cannot be asked here, or false. */
  readonly missing: string | false;
  readonly vendor: CpuVendor;
  runs(mode: Mode): boolean;
  readonly run: Runner;
}

/** A hypervisor without the CPU's virtualization is an emulator of its own, and no hardware oracle. */
function missingKvm(): string | false {
  if (!existsSync('/dev/kvm')) return 'NOT RUN: no /dev/kvm';
  if (existsSync('/sys/module/kvm_pvm')) return 'NOT RUN: /dev/kvm is kvm_pvm, a KVM in software';
  const real = existsSync('/sys/module/kvm_intel') || existsSync('/sys/module/kvm_amd');
  return real
    ? missingTools('nasm', 'qemu-system-x86_64')
    : 'NOT RUN: neither kvm_intel nor kvm_amd is loaded';
}

const hostVendor = (): CpuVendor =>
  existsSync('/proc/cpuinfo') && readFileSync('/proc/cpuinfo', 'latin1').includes('AuthenticAMD')
    ? 'amd'
    : 'intel';

export function oracleNamed(name: string | undefined): Oracle | null {
  switch (name) {
    case undefined:
    case '':
      return null;
    case 'host':
      return {
        name,
        missing: missingHost(),
        vendor: hostVendor(),
        runs: ({ user }) => user !== undefined,
        run: onHost,
      };
    case 'qemu':
      return {
        name,
        missing: missingTools('nasm', 'qemu-system-x86_64'),
        vendor: 'intel',
        runs: () => true,
        run: onQemu('qemu64,+popcnt,+movbe'),
      };
    case 'bochs':
      return {
        name,
        missing: missingTools('nasm', 'bochs-bin'),
        vendor: 'intel',
        runs: () => true,
        run: onBochs,
      };
    case 'kvm':
      return {
        name,
        missing: missingKvm(),
        vendor: hostVendor(),
        runs: () => true,
        run: onQemu('host', {}, 'kvm'),
      };
    default:
      throw new Error(`no oracle ${name}; there are host, qemu, bochs and kvm`);
  }
}
