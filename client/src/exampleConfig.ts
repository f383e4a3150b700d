/** `Bootpath: Open an Example vm.conf`: something to look at for those who have none at hand; the walkthrough begins here. */
import * as vscode from 'vscode';

const EXAMPLE = `# bootpath: vmd@7.8
#
# One guest on OpenBSD's vmd(8). Hover over "memory", choose "Show address space" above the
# machine, then "Simulate boot".

switch "uplink" {
	interface bridge0
}

vm "alpine" {
	memory 1500K
	disk "/var/vmm/alpine.qcow2" "/var/vmm/data.qcow2"
	interface { switch "uplnk" }
}
`;

export function activate(context: vscode.ExtensionContext): void {
  context.subscriptions.push(
    vscode.commands.registerCommand('bootpath.openExample', async () => {
      const document = await vscode.workspace.openTextDocument({ language: 'vmconf', content: EXAMPLE });
      await vscode.window.showTextDocument(document);
    }),
  );
}
