/** The bhyve commands of a script: behind assignments, reserved words and commands that run another one. */
import { scanShell } from './shellScanner';
import { expandWord, Variables, type Word } from './words';

export interface FoundCommand {
  /** The word that is bhyve. */
  readonly command: Word;
  readonly args: readonly Word[];
}

const RESERVED = new Set(['if', 'then', 'else', 'elif', 'while', 'until', 'do', '!', '{', 'time']);
/** They run the command that follows their own options. */
const WRAPPERS = new Set([
  'sudo',
  'doas',
  'exec',
  'env',
  'nohup',
  'command',
  'nice',
  'ionice',
  'timeout',
  'cpuset',
  'daemon',
  'setsid',
  'pfexec',
  'limits',
  'jexec',
  'chroot',
  'ktrace',
  'truss',
  'script',
]);
const ASSIGNED = /^[A-Za-z_]\w*\+?=/;

export function findCommands(text: string): FoundCommand[] {
  const raw = scanShell(text);
  const variables = new Variables(raw);
  const found: FoundCommand[] = [];
  for (const { words: rawWords } of raw) {
    const words = rawWords.flatMap((word) => expandWord(word, variables));
    const at = commandIndex(words);
    if (at === null) continue;
    const args = words.slice(at + 1);
    // The name alone, or with words, is no call that makes a VM.
    if (args.some(({ text: word, bare }) => word.startsWith('-') || bare))
      found.push({ command: words[at]!, args });
  }
  return found;
}

function commandIndex(words: readonly Word[]): number | null {
  let wrapped = false;
  for (const [index, { text, bare }] of words.entries()) {
    if (isBhyve(text)) return index;
    if (ASSIGNED.test(text) || RESERVED.has(text)) continue;
    if (WRAPPERS.has(baseName(text))) {
      wrapped = true;
      continue;
    }
    // `${SUDO} bhyve …` too: it is a wrapper, nothing, or not a call of bhyve at all.
    if (!wrapped && !(bare && isBhyve(words[index + 1]?.text ?? ''))) return null;
  }
  return null;
}

function isBhyve(text: string): boolean {
  return baseName(text) === 'bhyve' || /^\$\{BHYVE\w*\}$/.test(text);
}

function baseName(text: string): string {
  return text.slice(text.lastIndexOf('/') + 1);
}
