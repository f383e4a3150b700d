/** The palette of pictures that fits the present theme: a data URI cannot see theme variables. */
import * as vscode from 'vscode';
import type { PaletteName } from '../../server/src/picture/palettes';

const PALETTES: Record<vscode.ColorThemeKind, PaletteName> = {
  [vscode.ColorThemeKind.Light]: 'light',
  [vscode.ColorThemeKind.Dark]: 'dark',
  [vscode.ColorThemeKind.HighContrast]: 'hc-dark',
  [vscode.ColorThemeKind.HighContrastLight]: 'hc-light',
};

export function currentPalette(): PaletteName {
  return PALETTES[vscode.window.activeColorTheme.kind];
}

export function dataUri(svg: string): string {
  return `data:image/svg+xml;base64,${Buffer.from(svg, 'utf8').toString('base64')}`;
}
