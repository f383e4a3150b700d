/** Whether a text is a guest's configuration of vm-bhyve: by two of the keys that only it has. */

const LOOKED_AT = 64 * 1024;
const KEYS =
  /^(loader="?(?:bhyveload|grub|uefi)|disk\d{1,3}_(?:type|name|dev)=|network\d{1,3}_(?:type|switch)=|(?:uefi_vars|bhyveload_(?:args|loader)|grub_(?:run|install)\d{1,3}|graphics_(?:port|listen|res|wait)|xhci_mouse|virt_(?:random|console\d{1,3}))=)/gm;

/** Never looks at the file's name. */
export function recogniseVmBhyve(text: string): boolean {
  const found = new Set<string>();
  for (const [, key] of text.slice(0, LOOKED_AT).matchAll(KEYS)) {
    found.add(key!);
    if (found.size > 1) return true;
  }
  return false;
}
