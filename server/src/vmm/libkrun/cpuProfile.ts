/**
 * The CPU as libkrun shows it: KVM's supported CPUID with a brand string of its own, and without PMU and turbo
 * (containers/libkrun src/cpuid/src/transformer, brand_string.rs). The frequency in the brand string is the host's and left out.
 */
import type { CpuidModel } from '../../x86/cpuid/model';
import { brandLeaves } from '../../x86/cpuid/models';
import { kvmCpuProfile } from '../kvm/cpuProfile';
import type { CpuChoice } from '../model';

const BRANDS = { intel: 'Intel(R) Xeon(R) Processor', amd: 'AMD EPYC' } as const;

export function libkrunCpuProfile(cpu: CpuChoice, vcpus: number): CpuidModel {
  return brandLeaves(BRANDS[cpu.vendor]).reduce(
    (model, { leaf, registers }) => model.replace(leaf, null, registers),
    kvmCpuProfile(cpu, vcpus),
  );
}
