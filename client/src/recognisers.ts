/** The content that makes a text ours while its language id is somebody else's. Pure functions of the server's rooms. */
import { crashDump } from '../../server/src/crash/language';
import { memmap } from '../../server/src/memory-map/language';
import { recogniseVmConf } from '../../server/src/vmm/vmd/recognise';

export interface Recogniser {
  /** Language ids under which such texts are found in a bare VS Code. */
  readonly languages: readonly string[];
  /** The id that the document is switched to, or null where it keeps its own. */
  readonly becomes: string | null;
  /** Whether it is a crash, for which the decode command needs no selection. */
  readonly dump?: boolean;
  readonly recognise: (text: string, path: string) => boolean;
}

export const RECOGNISERS: readonly Recogniser[] = [
  { languages: ['properties', 'ini', 'plaintext'], becomes: 'vmconf', recognise: recogniseVmConf },
  { languages: ['log', 'plaintext'], becomes: null, recognise: (text, path) => memmap.recognise(text, path) },
  {
    languages: ['log', 'plaintext'],
    becomes: null,
    dump: true,
    recognise: (text, path) => crashDump.recognise(text, path),
  },
];
