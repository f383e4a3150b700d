/** `--symbols FILE`, and what is found beside the image without it. */
import { hostFiles } from '../hostFiles';
import { readSymbolFile, symbolsBeside } from '../symbolFiles';
import type { SymbolChoice } from '../simulation/report';
import { stringOption, UsageError, type Command, type Options } from './command';

export const SYMBOLS_OPTION: Command['options'] = {
  symbols: {
    type: 'string',
    help: 'symbols of the kernel: an ELF file, System.map or the output of nm (those beside the image otherwise)',
  },
};

/**
 * UsageError where the file that was asked for cannot be used.
 * @param path of the image; null where it comes from standard input, or where there is none
 */
export async function symbolsOption(
  options: Options,
  path: string | null,
  kernel: Uint8Array | null,
): Promise<{ symbols?: SymbolChoice }> {
  const asked = stringOption(options, 'symbols');
  if (asked !== undefined) {
    const found = await readSymbolFile(hostFiles, asked, null, kernel);
    if ('problem' in found) throw new UsageError(`--symbols ${asked}: ${found.problem}`);
    return { symbols: found };
  }
  if (path === null || kernel === null) return {};
  return { symbols: await symbolsBeside(hostFiles, path, null, kernel) };
}
