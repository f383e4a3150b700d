/** All keys of a boot plan: the one definition that checks, completion, hover, the JSON schema and docs/boot-plan.md come from. */
import type { ObjectShape, StringValue } from '../../text/shape/shape';
import { VMM_MODELS } from '../../vmm/models';
import { BOOT, CAPTURED, LINUX, LOAD } from './contents';
import { REGION } from './regions';
import { CPU, EXPECT, RUN } from './runs';
import { GDT, IDT, MAP, PAGING } from './tables';
import { array, integer, NUMBER, oneOf, STRING } from './values';
import { VCPU } from './vcpus';

const VMMS: readonly StringValue[] = VMM_MODELS.flatMap(({ name, title, versions }) => [
  { value: name, text: `${title}, the newest version that is known.` },
  ...versions.map(({ id, title: version }) => ({ value: `${name}@${id}`, text: `${title}: ${version}.` })),
]);

export const BOOT_PLAN: ObjectShape = {
  kind: 'object',
  others: 'refused',
  members: {
    name: {
      shape: STRING,
      text: 'What the plan shows, in a few words.',
      default: 'the file’s name',
      example: '"64-bit entry"',
    },
    description: { shape: STRING, text: 'More words, for readers.' },
    vmm: {
      shape: oneOf(VMMS),
      text: 'The VMM whose devices answer, and its version: `firecracker@1.13`. It lays memory out too where the plan has no `[[region]]`, and starts the guest where the plan has no `[[vcpu]]`.',
      default: '`"pc"`, a plain PC; with `config` the VMM that the config is read for',
      example: '"pc"',
    },
    config: {
      shape: STRING,
      text: 'A config or memory map that Bootpath reads: the plan boots its machine, as the VMM starts it, and says only what is booted and what must come of it. A path is relative to the plan.',
      example: '"FILE"',
    },
    machine: {
      shape: STRING,
      text: 'Which machine of `config`, where it describes several.',
      default: 'the only one',
      example: '"NAME"',
    },
    memory: {
      shape: NUMBER,
      text: 'Guest memory as the VMM takes it; the VMM lays it out. Instead of `[[region]]`.',
      example: '"512 MiB"',
    },
    vcpus: {
      shape: integer(1n, 1024n),
      text: 'Number of vCPUs.',
      default: 'as many as `[[vcpu]]` needs, 1 at least',
      example: '1',
    },
    cpu: { shape: CPU, text: 'The CPU, where the model’s own is not wanted.' },
    region: {
      shape: array(REGION),
      text: 'A region of guest-physical address space, as `base` and `size`, `start` and `end`, or `start` and `last`.',
    },
    gdt: { shape: GDT, text: 'The global descriptor table that the plan puts into memory.' },
    idt: { shape: IDT, text: 'The interrupt descriptor table that the plan puts into memory.' },
    paging: { shape: PAGING, text: 'Page tables that the plan puts into memory, for all `[[map]]`.' },
    map: { shape: array(MAP), text: 'Linear addresses and where they lead.' },
    vcpu: {
      shape: array(VCPU),
      text: 'A vCPU before its first instruction. What is left out is as after RESET.',
    },
    load: { shape: array(LOAD), text: 'A file or bytes that the plan puts into memory.' },
    linux: { shape: LINUX, text: 'Linux’s boot parameters, made of what else the plan says.' },
    boot: { shape: BOOT, text: 'What the VMM boots, for a plan without `[[vcpu]]`.' },
    captured: { shape: CAPTURED, text: 'A machine that another program ran, from which the run starts.' },
    run: { shape: RUN, text: 'Limits of the run.' },
    expect: { shape: EXPECT, text: 'What must come of the run: `bootpath test` holds it to this.' },
  },
};
