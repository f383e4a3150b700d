/** What is seen in the editor, as the editor itself asks for it. */
import * as assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { closeAll, eventually, extension, open, openClaimed } from './workbench';

const whole = (document: vscode.TextDocument) => new vscode.Range(0, 0, document.lineCount, 0);

const lensTitles = async (uri: vscode.Uri): Promise<string[]> => {
  const lenses = await vscode.commands.executeCommand<vscode.CodeLens[]>(
    'vscode.executeCodeLensProvider',
    uri,
    100,
  );
  return lenses.map(({ command }) => command?.title ?? '');
};

const hoverText = (hovers: readonly vscode.Hover[]): string =>
  hovers
    .flatMap(({ contents }) => contents)
    .map((content) => (typeof content === 'string' ? content : content.value))
    .join('\n');

const ourFindings = (uri: vscode.Uri) =>
  vscode.languages.getDiagnostics(uri).filter(({ source }) => source === 'bootpath');

describe('a vm.conf in the editor', () => {
  let document: vscode.TextDocument;
  before(async () => {
    document = await openClaimed('vmd/vm.conf');
    await eventually('server', async () => (await extension()).serverRunning);
  });
  after(closeAll);

  it('has its lenses on each machine', async () => {
    const titles = await eventually('lenses', async () => {
      const found = await lensTitles(document.uri);
      return found.length >= 6 && found;
    });
    assert.equal(titles.filter((title) => title === '▶ Simulate boot').length, 2);
    assert.equal(titles.filter((title) => title === 'Show address space').length, 2);
  });

  it('keeps its lenses in place while something else is typed', async () => {
    const before = await lensTitles(document.uri);
    const edit = new vscode.WorkspaceEdit();
    edit.insert(document.uri, new vscode.Position(2, 11), '2');
    await vscode.workspace.applyEdit(edit);
    assert.deepEqual(await lensTitles(document.uri), before);
    await vscode.commands.executeCommand('undo');
  });

  it('has findings with a code that links to its page', async () => {
    const finding = await eventually('a finding', () => ourFindings(document.uri)[0]);
    assert.ok(typeof finding.code === 'object', 'the code has no link');
    assert.match(finding.code.target.toString(), /docs\/checks\//);
  });

  it('has inlay hints on the line that asks for memory', async () => {
    const hints = await vscode.commands.executeCommand<vscode.InlayHint[]>(
      'vscode.executeInlayHintProvider',
      document.uri,
      whole(document),
    );
    assert.ok(hints.some(({ position }) => position.line === 2));
  });

  it('has a hover in words and as a picture', async () => {
    const position = new vscode.Position(2, 3);
    const hovers = await vscode.commands.executeCommand<vscode.Hover[]>(
      'vscode.executeHoverProvider',
      document.uri,
      position,
    );
    const text = hoverText(hovers);
    assert.ok(text.includes('1023 MiB'), 'the words do not say the size of RAM above 1 MiB');
    const picture = /!\[([^\]]*)\]\((data:image\/svg\+xml;base64,[^)\s|]*)/.exec(text);
    assert.ok(picture, 'no picture');
    assert.ok(text.length < 60 * 1024, `${text.length} characters`);
    assert.match(picture[1]!, /alpine/);
  });

  it('gets no formatter from us', async () => {
    const edits = await vscode.commands.executeCommand<vscode.TextEdit[] | undefined>(
      'vscode.executeFormatDocumentProvider',
      document.uri,
      {},
    );
    assert.ok(!edits || edits.length === 0);
  });

  it('has an outline', async () => {
    const symbols = await vscode.commands.executeCommand<vscode.DocumentSymbol[]>(
      'vscode.executeDocumentSymbolProvider',
      document.uri,
    );
    assert.deepEqual(
      symbols.map(({ name }) => name.replaceAll('"', '')),
      ['alpine', 'tiny'],
    );
  });
});

describe('memory maps', () => {
  afterEach(closeAll);

  it('a .memmap has its overlap found', async () => {
    const { document } = await open('maps/guest.memmap');
    assert.equal(document.languageId, 'memmap');
    await eventually('a finding', () => ourFindings(document.uri)[0]);
  });

  it('a console log with a map in it stays plain text and has its finding', async () => {
    const { document } = await open('maps/console.txt');
    await eventually('a finding', () => ourFindings(document.uri)[0]);
    assert.equal(document.languageId, 'plaintext');
  });

  it('a text that becomes a map while it is typed is ours from then on', async () => {
    const document = await vscode.workspace.openTextDocument({
      language: 'plaintext',
      content: 'nothing yet\n',
    });
    const editor = await vscode.window.showTextDocument(document);
    assert.deepEqual(ourFindings(document.uri), []);
    await editor.edit((edit) =>
      edit.insert(
        new vscode.Position(1, 0),
        'BIOS-e820: [mem 0x0000000000000000-0x00000000000fffff] usable\n' +
          'BIOS-e820: [mem 0x0000000000080000-0x00000000000fffff] reserved\n',
      ),
    );
    await eventually('a finding', () => ourFindings(document.uri)[0]);
  });
});
