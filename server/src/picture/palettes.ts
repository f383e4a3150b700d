/** The colours of pictures in the four kinds of theme. A data URI cannot see theme variables, so they are fixed here. */
import type { RegionKind } from '../machine/machine';

export const PALETTE_NAMES = ['light', 'dark', 'hc-dark', 'hc-light'] as const;
export type PaletteName = (typeof PALETTE_NAMES)[number];

export interface KindColours {
  /** Behind text. */
  readonly fill: string;
  /** Of the swatch, its pattern and the border. */
  readonly strong: string;
}

export interface Palette {
  readonly background: string;
  readonly text: string;
  /** Second-rank text; the same contrast rules hold for it. */
  readonly dim: string;
  readonly line: string;
  /** Selection. */
  readonly accent: string;
  /** Width of borders, in pixels. */
  readonly border: number;
  readonly kinds: Readonly<Record<RegionKind, KindColours>>;
}

const kinds = (rows: Readonly<Record<RegionKind, readonly [string, string]>>): Palette['kinds'] =>
  Object.fromEntries(
    Object.entries(rows).map(([kind, [fill, strong]]) => [kind, { fill, strong }]),
  ) as Record<RegionKind, KindColours>;

export const PALETTES: Readonly<Record<PaletteName, Palette>> = {
  light: {
    background: '#ffffff',
    text: '#1f2328',
    dim: '#57606a',
    line: '#afb8c1',
    accent: '#0a5fd1',
    border: 1,
    kinds: kinds({
      ram: ['#e6f4ea', '#2f8f46'],
      reserved: ['#f1f0f5', '#756e8c'],
      rom: ['#fdf1de', '#b56d0a'],
      mmio: ['#e6f0fb', '#2b74c4'],
      acpi: ['#f6eafb', '#9645b5'],
      nvs: ['#fceaf3', '#b8407c'],
      unusable: ['#fceae8', '#c73a2f'],
      persistent: ['#e1f4f4', '#12797c'],
      hole: ['#ffffff', '#6e7781'],
    }),
  },
  dark: {
    background: '#1f1f1f',
    text: '#e8e8e8',
    dim: '#a9b1ba',
    line: '#4b515a',
    accent: '#4daafc',
    border: 1,
    kinds: kinds({
      ram: ['#1b3023', '#4fbf6d'],
      reserved: ['#2b2a33', '#9a93b3'],
      rom: ['#372a16', '#e0a03d'],
      mmio: ['#192c42', '#5aa7f0'],
      acpi: ['#31203a', '#c77ee6'],
      nvs: ['#391e2d', '#ea6fa9'],
      unusable: ['#3e211f', '#f0695f'],
      persistent: ['#153132', '#3dbcc0'],
      hole: ['#1f1f1f', '#848d97'],
    }),
  },
  'hc-dark': {
    background: '#000000',
    text: '#ffffff',
    dim: '#ffffff',
    line: '#6fc3df',
    accent: '#f38518',
    border: 2,
    kinds: kinds({
      ram: ['#000000', '#3ff23f'],
      reserved: ['#000000', '#d4d4d4'],
      rom: ['#000000', '#ffcc00'],
      mmio: ['#000000', '#6fc3df'],
      acpi: ['#000000', '#e9a6ff'],
      nvs: ['#000000', '#ff8ac4'],
      unusable: ['#000000', '#ff7b72'],
      persistent: ['#000000', '#00e5e5'],
      hole: ['#000000', '#ffffff'],
    }),
  },
  'hc-light': {
    background: '#ffffff',
    text: '#000000',
    dim: '#292929',
    line: '#0f4a85',
    accent: '#b5200d',
    border: 2,
    kinds: kinds({
      ram: ['#ffffff', '#0f6b20'],
      reserved: ['#ffffff', '#4a4458'],
      rom: ['#ffffff', '#7a4a00'],
      mmio: ['#ffffff', '#0f4a85'],
      acpi: ['#ffffff', '#6b1f8a'],
      nvs: ['#ffffff', '#8a1a55'],
      unusable: ['#ffffff', '#a1150a'],
      persistent: ['#ffffff', '#005f61'],
      hole: ['#ffffff', '#292929'],
    }),
  },
};
