// Debian packages whose files several rows boot, and what their guests write.

export const SEABIOS = 'seabios';
export const OVMF = 'ovmf';
/** The metapackage, and which of what it depends on is meant. */
export const LINUX = ['linux-image-cloud-amd64', 'linux-image-\\S*-cloud-amd64'];

export const FIRST_LINE = 'Linux version';
export const ROOT_MOUNT = 'Unable to mount root fs';
