/** Booting an image without a config: what is asked first, the report, and turning away. */
import * as assert from 'node:assert/strict';
import * as vscode from 'vscode';
import type { SimulateResult } from '../../../server/src/protocol';
import { closeAll, eventually, extension, workspaceUri } from './workbench';

/** Runs the command and answers what it asks with an editor command, until it has ended. */
async function simulate(image: vscode.Uri, answer: string): Promise<SimulateResult | undefined> {
  let ended = false;
  const result = vscode.commands
    .executeCommand<SimulateResult | undefined>('bootpath.simulateImage', image)
    .then((one) => {
      ended = true;
      return one;
    });
  await eventually('the end of the command', async () => {
    if (!ended) await vscode.commands.executeCommand(answer);
    return ended;
  });
  return result;
}

describe('Simulate boot of an image', () => {
  let rom: vscode.Uri;
  before(async () => {
    await extension();
    // MOV AL, 0x10; OUT 0xF4, AL, the debug exit port; the reset vector, 16 bytes below the end, jumps there.
    const bytes = new Uint8Array(0x1_0000).fill(0x90);
    bytes.set([0xb0, 0x10, 0xe6, 0xf4], 0xffe0);
    bytes.set([0xeb, 0xee], 0xfff0);
    rom = workspaceUri('exit.rom');
    await vscode.workspace.fs.writeFile(rom, bytes);
  });
  after(async () => {
    await closeAll();
    await vscode.workspace.fs.delete(rom);
  });

  it('boots a ROM to its end and shows the report', async () => {
    const result = await simulate(rom, 'workbench.action.acceptSelectedQuickOpenItem');
    assert.equal(result?.outcome, 'shutdown');
    assert.match(result.text, /0x10 to the debug exit port 0xf4/);
    await eventually('the report in the output channel', () =>
      vscode.workspace.textDocuments.some(
        (document) => document.languageId === 'bootpath-report' && /exit\.rom/.test(document.getText()),
      ),
    );
  });

  it('boots nothing when the person turns away from the command line', async () => {
    assert.equal(await simulate(rom, 'workbench.action.closeQuickOpen'), undefined);
  });
});
