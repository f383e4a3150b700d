/**
 * The address space as a picture in the hover of a line that produced a part of it. The words are the server's hover; the
 * picture is drawn here, since only the client knows the theme.
 */
import * as vscode from 'vscode';
import { addressSpaceSvg } from '../../server/src/picture/addressSpacePicture';
import { fromWire, type PictureMachine } from '../../server/src/picture/pictureMachine';
import { machineTitle } from '../../server/src/picture/words';
import { RegionAtRequest, type RegionAtParams, type RegionAtResult } from '../../server/src/protocol';
import type { Claims } from './claim';
import { FOREIGN_LANGUAGES, OWN_LANGUAGES, SCHEMES } from './claim';
import type { Server } from './languageClient';
import { currentPalette, dataUri } from './themePalette';

/** Characters of Markdown; hovers are cut at 100,000. */
const LONGEST = 60_000;
const WIDTH = 460;
/** Pixels of the map itself: a hover shows some 250 without scrolling. */
const HEIGHT = 176;
/** Regions around the hovered ones, tried in turn until the picture fits. */
const REGIONS = [14, 8, 4];

export function activate(context: vscode.ExtensionContext, server: Server, claims: Claims): void {
  const selector = SCHEMES.flatMap((scheme) =>
    [...OWN_LANGUAGES, ...FOREIGN_LANGUAGES].map((language) => ({ scheme, language })),
  );
  const provideHover = async (
    document: vscode.TextDocument,
    { line, character }: vscode.Position,
    token: vscode.CancellationToken,
  ): Promise<vscode.Hover | undefined> => {
    if (!claims.has(document)) return undefined;
    if (!vscode.workspace.getConfiguration('bootpath', document).get('pictureHover', true)) return undefined;
    const params: RegionAtParams = { uri: document.uri.toString(), position: { line, character } };
    const found = await server.request<RegionAtResult | null>(RegionAtRequest, params, token);
    if (!found || found.machine.regions.length === 0) return undefined;
    const markdown = pictureMarkdown(fromWire(found.machine), found.selected);
    return markdown === null ? undefined : new vscode.Hover(markdown);
  };
  // The provider that was registered last is shown first: the picture stands above the server's words.
  server.onDidStart(() => {
    context.subscriptions.push(vscode.languages.registerHoverProvider(selector, { provideHover }));
  });
}

/** Null where no picture is small enough. */
function pictureMarkdown(machine: PictureMachine, selected: readonly number[]): vscode.MarkdownString | null {
  const alternative = machineTitle(machine).replace(/[[\]\\\n]/g, ' ');
  for (const maxRegions of REGIONS) {
    const svg = addressSpaceSvg(machine, {
      palette: currentPalette(),
      // A line that produced everything marks nothing.
      selected: selected.length === machine.regions.length ? [] : selected,
      width: WIDTH,
      maxHeight: HEIGHT,
      maxRegions,
      // The hover has one of its own.
      background: false,
    });
    const text = `![${alternative}](${dataUri(svg)})`;
    if (text.length < LONGEST) return new vscode.MarkdownString(text);
  }
  return null;
}
