/** Which firmware an image without a config runs on: none, a ROM that is the image itself, or one beside a kernel. */
import { basename } from 'node:path';
import { FW_CFG_LONGEST_NAME } from '../devices/fwCfg';
import type { DirectBoot } from '../vmm/model';
import { optionRomFile } from '../vmm/pc/firmwareConfiguration';
import { imageKind } from '../vmm/pc/imageKind';
import { stringOption, UsageError, type Command, type Options } from './command';
import { readBytes } from './inputs';

/** As `--protocol` takes it: the image is a firmware itself. */
export const ROM_PROTOCOL = 'rom';

export const FIRMWARE_OPTIONS: Command['options'] = {
  'option-rom': {
    type: 'string',
    help: 'an image without a config: a ROM of no device for the firmware, as QEMU’s linuxboot_dma.bin',
  },
};

export interface FirmwareChoice {
  readonly firmware: Uint8Array | null;
  readonly kernel: Uint8Array | null;
}

/** What goes with the firmware; UsageError where there is none. */
export function firmwareExtras(options: Options, firmware: Uint8Array | null): Pick<DirectBoot, 'optionRom'> {
  const path = stringOption(options, 'option-rom');
  if (path === undefined) return {};
  if (!firmware) throw new UsageError(`--option-rom ${path}: there is no firmware that would run it`);
  const name = basename(path);
  if (Buffer.byteLength(optionRomFile(name)) > FW_CFG_LONGEST_NAME) {
    throw new UsageError(
      `--option-rom ${path}: the firmware finds it as ${optionRomFile(name)}, and names in fw_cfg have ${FW_CFG_LONGEST_NAME} bytes at most`,
    );
  }
  return { optionRom: { name, bytes: readBytes(path) } };
}

/** What becomes of `image`; UsageError where the options contradict each other. */
export function firmwareChoice(file: string, image: Uint8Array, options: Options): FirmwareChoice {
  const path = stringOption(options, 'firmware');
  const protocol = stringOption(options, 'protocol');
  const isRom = protocol === undefined ? imageKind(image) === 'firmware' : protocol === ROM_PROTOCOL;
  if (!isRom) return { firmware: path === undefined ? null : readBytes(path), kernel: image };
  if (path !== undefined) {
    throw new UsageError(`--firmware ${path}: ${file} is a firmware itself, and the machine has one ROM`);
  }
  return { firmware: image, kernel: null };
}
