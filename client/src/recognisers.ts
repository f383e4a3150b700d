/** The content that makes a text ours while its language id is somebody else's. Pure functions of the server's rooms. */
import { recogniseBootPlan } from '../../server/src/boot-plan/recognise';
import { recogniseCrashDump } from '../../server/src/crash/recognise';
import { memmap } from '../../server/src/memory-map/language';
import { recogniseBhyveCommand } from '../../server/src/vmm/bhyve/command/recognise';
import { recogniseVmBhyve } from '../../server/src/vmm/bhyve/vmBhyve/recognise';
import { recogniseBhyveConfig } from '../../server/src/vmm/bhyve/config/recognise';
import { recogniseCloudHypervisor } from '../../server/src/vmm/cloud-hypervisor/recognise';
import { recogniseFirecracker } from '../../server/src/vmm/firecracker/recognise';
import { recogniseBoxlite } from '../../server/src/vmm/libkrun/boxlite/recognise';
import { recogniseLibkrunC } from '../../server/src/vmm/libkrun/c/recognise';
import { recogniseQemuConfig } from '../../server/src/vmm/pc/readconfig/recognise';
import { recognisePropolis } from '../../server/src/vmm/propolis/recognise';
import { recogniseVmConf } from '../../server/src/vmm/vmd/recognise';

/** What a document of ours is. */
export type DocumentKind =
  | 'vmconf'
  | 'bhyve-config'
  | 'bhyve-command'
  | 'vm-bhyve'
  | 'propolis'
  | 'firecracker'
  | 'cloud-hypervisor'
  | 'boxlite'
  | 'libkrun-c'
  | 'qemu-config'
  | 'boot-plan'
  | 'memmap'
  | 'crash-dump';

/** Kinds that are language ids of our own too. The others keep the ids of their languages: JSON, TOML, C. */
export const OWN_KINDS = [
  'vmconf',
  'bhyve-config',
  'vm-bhyve',
  'qemu-config',
  'boot-plan',
  'memmap',
  'crash-dump',
] as const satisfies DocumentKind[];

export interface Recogniser {
  readonly kind: DocumentKind;
  /** Language ids under which such texts are found in a bare VS Code. */
  readonly languages: readonly string[];
  /** Whether the document is switched to our language id: where nobody else's language is meant. */
  readonly switches: boolean;
  readonly recognise: (text: string, path: string) => boolean;
}

const JSON_IDS = ['json', 'jsonc'];

export const RECOGNISERS: readonly Recogniser[] = [
  // Its own tables are not to be taken for those of another TOML.
  { kind: 'boot-plan', languages: ['toml', 'plaintext'], switches: false, recognise: recogniseBootPlan },
  {
    kind: 'vmconf',
    languages: ['properties', 'ini', 'plaintext'],
    switches: true,
    recognise: recogniseVmConf,
  },
  {
    kind: 'bhyve-config',
    languages: ['properties', 'ini', 'plaintext'],
    switches: true,
    recognise: recogniseBhyveConfig,
  },
  {
    kind: 'qemu-config',
    languages: ['properties', 'ini', 'plaintext'],
    switches: true,
    recognise: recogniseQemuConfig,
  },
  {
    kind: 'bhyve-command',
    languages: ['shellscript'],
    switches: false,
    recognise: recogniseBhyveCommand,
  },
  {
    kind: 'vm-bhyve',
    languages: ['properties', 'ini', 'plaintext'],
    switches: true,
    recognise: recogniseVmBhyve,
  },
  { kind: 'firecracker', languages: JSON_IDS, switches: false, recognise: recogniseFirecracker },
  { kind: 'cloud-hypervisor', languages: JSON_IDS, switches: false, recognise: recogniseCloudHypervisor },
  { kind: 'boxlite', languages: JSON_IDS, switches: false, recognise: recogniseBoxlite },
  // A bare VS Code has no language for TOML.
  { kind: 'propolis', languages: ['toml', 'plaintext'], switches: false, recognise: recognisePropolis },
  { kind: 'libkrun-c', languages: ['c', 'cpp'], switches: false, recognise: recogniseLibkrunC },
  // A log stays a log: it holds more than the dump or the map, and has colours of its own.
  {
    kind: 'crash-dump',
    languages: ['log', 'plaintext'],
    switches: false,
    recognise: recogniseCrashDump,
  },
  {
    kind: 'memmap',
    languages: ['log', 'plaintext'],
    switches: false,
    recognise: (text, path) => memmap.recognise(text, path),
  },
];

/** The config or memory map that a text is, or null: what a crash's addresses are looked up in. */
export function machineKindOf(text: string, path: string): DocumentKind | null {
  const found = RECOGNISERS.find(({ kind, recognise }) => kind !== 'crash-dump' && recognise(text, path));
  return found?.kind ?? null;
}
