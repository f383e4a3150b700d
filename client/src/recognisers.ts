/** The content that makes a text ours while its language id is somebody else's. Pure functions of the server's rooms. */
import { recogniseCrashDump } from '../../server/src/crash/recognise';
import { memmap } from '../../server/src/memory-map/language';
import { recogniseVmConf } from '../../server/src/vmm/vmd/recognise';

/** What a document of ours is; also the language ids of our own. */
export type DocumentKind = 'vmconf' | 'memmap' | 'crash-dump';

export interface Recogniser {
  readonly kind: DocumentKind;
  /** Language ids under which such texts are found in a bare VS Code. */
  readonly languages: readonly string[];
  /** Whether the document is switched to our language id: where nobody else's language is meant. */
  readonly switches: boolean;
  readonly recognise: (text: string, path: string) => boolean;
}

export const RECOGNISERS: readonly Recogniser[] = [
  {
    kind: 'vmconf',
    languages: ['properties', 'ini', 'plaintext'],
    switches: true,
    recognise: recogniseVmConf,
  },
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

export function recogniserOf(kind: DocumentKind): Recogniser {
  return RECOGNISERS.find((recogniser) => recogniser.kind === kind)!;
}
