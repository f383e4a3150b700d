/** Literal arguments that libkrun refuses, that C cuts, or that libkrun reads through a null pointer. */
import type { Found } from '../check';
import type { CCall } from '../../vmm/libkrun/c/scan';
import { isNull, krunCheck, numberAt, type KrunRules } from './krunCheck';

interface NumberRule {
  /** Counted with the context, which is 0. */
  readonly index: number;
  readonly name: string;
  readonly bits: bigint;
  readonly least: bigint;
  readonly most: bigint;
  /** What it takes, in words. */
  readonly takes: string;
}

const KEPT = 'and the guest keeps what was set before, or 1 vCPU and 128 MiB';
const FORMAT = { bits: 32n, least: 0n, most: 2n, takes: '0 (raw), 1 (qcow2) or 2 (VMDK)' };

const NUMBERS: Readonly<Record<string, readonly NumberRule[]>> = {
  krun_set_vm_config: [
    {
      index: 1,
      name: 'num_vcpus',
      bits: 8n,
      least: 1n,
      most: 255n,
      takes: `1 to 255; it returns -EINVAL, ${KEPT}`,
    },
    {
      index: 2,
      name: 'ram_mib',
      bits: 32n,
      least: 1n,
      most: 0xffff_ffffn,
      takes: `1 MiB and more; it returns -EINVAL, ${KEPT}`,
    },
  ],
  krun_set_kernel: [
    {
      index: 2,
      name: 'kernel_format',
      bits: 32n,
      least: 0n,
      most: 5n,
      takes: '0 to 5, KRUN_KERNEL_FORMAT_RAW to KRUN_KERNEL_FORMAT_IMAGE_ZSTD',
    },
  ],
  krun_add_disk2: [{ index: 3, name: 'disk_format', ...FORMAT }],
  krun_add_disk3: [
    { index: 3, name: 'disk_format', ...FORMAT },
    {
      index: 6,
      name: 'sync_mode',
      bits: 32n,
      least: 0n,
      most: 2n,
      takes: '0 (none), 1 (relaxed) or 2 (full)',
    },
  ],
  krun_add_vsock: [
    {
      index: 1,
      name: 'tsi_features',
      bits: 32n,
      least: 0n,
      most: 3n,
      takes: 'KRUN_TSI_HIJACK_INET (1) and KRUN_TSI_HIJACK_UNIX (2)',
    },
  ],
};

/** Strings that libkrun reads without looking whether there are any (CStr::from_ptr). */
const STRINGS: Readonly<Record<string, readonly number[]>> = {
  krun_set_root: [1],
  krun_set_root_disk: [1],
  krun_set_data_disk: [1],
  krun_add_disk: [1, 2],
  krun_add_disk2: [1, 2],
  krun_add_disk3: [1, 2],
  krun_set_root_disk_remount: [1],
  krun_set_kernel: [1],
  krun_set_firmware: [1],
  krun_set_kernel_console: [1],
  krun_set_console_output: [1],
  krun_set_workdir: [1],
  krun_set_exec: [1],
  krun_set_gvproxy_path: [1],
};

export const argument = krunCheck(
  { code: 'libkrun-argument', severity: 'error', title: 'An argument that libkrun cannot take' },
  function* (rules) {
    for (const { calls } of rules.contexts) {
      for (const call of calls) {
        if (!call.closed) continue;
        for (const rule of NUMBERS[call.name] ?? []) yield* number(rules, call, rule);
        for (const index of STRINGS[call.name] ?? []) {
          if (!isNull(call, index)) continue;
          yield {
            at: rules.at(call.arguments[index]!),
            message: `${call.name} reads the string here without a look at the pointer: a null pointer ends the process with a fault.`,
          };
        }
      }
    }
  },
);

function* number(rules: KrunRules, call: CCall, rule: NumberRule): Generator<Found> {
  const given = numberAt(call, rule.index);
  if (!given) return;
  const { name, bits, least, most, takes } = rule;
  const value = BigInt.asUintN(Number(bits), given.value);
  const cut =
    value === given.value ? '' : ` C makes ${value} of ${given.value}, since ${name} is a uint${bits}_t.`;
  if (value < least || value > most) {
    yield {
      at: rules.at(given),
      message: `${call.name} refuses ${value} as ${name}: it takes ${takes}.${cut}`,
    };
  } else if (cut !== '') {
    yield {
      at: rules.at(given),
      severity: 'warning',
      message: `${call.name} gets another ${name} than stands here:${cut}`,
    };
  }
}
