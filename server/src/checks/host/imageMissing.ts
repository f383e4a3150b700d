/** Images that a config names and this host does not have. Asked for by a setting only: a config is often read elsewhere. */
import type { Document } from '../../machine/language';
import type { ImageReference, ImageRole } from '../../machine/machine';
import type { Finding } from '../../text/finding';
import type { CheckRow } from '../check';

const IMAGE_MISSING = {
  code: 'host-image-missing',
  severity: 'warning',
  title: 'An image that this host does not have',
  on: ['machine'],
} as const satisfies CheckRow;

/** The rows of this folder; their findings need facts of the host, so the catalogue cannot run them by itself. */
export const HOST_CHECKS: readonly CheckRow[] = [IMAGE_MISSING];

const NAMES: Readonly<Record<ImageRole, string>> = {
  kernel: 'kernel',
  firmware: 'firmware image',
  disk: 'disk image',
  cdrom: 'CD image',
  initrd: 'initrd',
};

function* images({ machines, subject }: Document): Iterable<ImageReference> {
  if (subject) return;
  for (const machine of machines) {
    // A relative path starts at the VMM's working folder, which nobody knows here.
    for (const image of machine.images) if (image.path.startsWith('/')) yield image;
  }
}

/** Absolute paths of images, each once: what to ask the host about. */
export function imagePaths(document: Document): string[] {
  return [...new Set([...images(document)].map(({ path }) => path))];
}

/** `missing`: those of `imagePaths` that the host does not have. */
export function missingImages(document: Document, missing: ReadonlySet<string>): Finding[] {
  return [...images(document)].flatMap(({ role, path, origin }) => {
    if (origin.kind !== 'text' || !missing.has(path)) return [];
    const { code, severity } = IMAGE_MISSING;
    const { uri, range } = origin;
    return [
      {
        code,
        severity,
        message: `This host has no ${NAMES[role]} ${path}: the VM cannot start here until it is there.`,
        at: { uri, range },
      },
    ];
  });
}
