/** SVG as text: escaping, attributes, and the width that a text will take. */

export type Attributes = Readonly<Record<string, string | number | undefined>>;

/** Characters that XML 1.0 has no place for, even escaped. */
/* eslint-disable no-control-regex */
const FORBIDDEN =
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;
const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Any text as XML text or attribute value. */
export function escapeXml(text: string): string {
  return text.replace(FORBIDDEN, '\ufffd').replace(/[&<>"']/g, (character) => ENTITIES[character]!);
}

/** Coordinates with at most one decimal: shorter files, and nobody sees the rest. */
function written(value: string | number): string {
  return typeof value === 'number' ? String(Math.round(value * 10) / 10) : escapeXml(value);
}

export function element(name: string, attributes: Attributes, ...children: readonly string[]): string {
  let open = `<${name}`;
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined) open += ` ${key}="${written(value)}"`;
  }
  return children.length === 0 ? `${open}/>` : `${open}>${children.join('')}</${name}>`;
}

export const SANS = "system-ui,-apple-system,'Segoe UI',Ubuntu,'Helvetica Neue',sans-serif";
const MONO = "ui-monospace,'SF Mono',Menlo,Consolas,'DejaVu Sans Mono',monospace";

/** A generous estimate in pixels: a picture cannot measure the fonts that it will meet. */
export function textWidth(text: string, size: number, mono = false): number {
  if (mono) return text.length * size * 0.61;
  let width = 0;
  for (const character of text) {
    width += /[mwMW@%]/.test(character)
      ? 0.86
      : /[il.,:;'|!\s]/.test(character)
        ? 0.31
        : /[A-Z]/.test(character)
          ? 0.67
          : 0.555;
  }
  return width * size;
}

/** The text, or as much of it as fits with an ellipsis; empty where not even three characters fit. */
export function fitText(text: string, room: number, size: number, mono = false): string {
  if (textWidth(text, size, mono) <= room) return text;
  let kept = text;
  while (kept.length > 0 && textWidth(kept + '…', size, mono) > room) kept = kept.slice(0, -1);
  return kept.trimEnd().length < 3 ? '' : kept.trimEnd() + '…';
}

export interface LabelStyle {
  readonly anchor?: 'start' | 'middle' | 'end';
  readonly weight?: number;
  readonly mono?: boolean;
  readonly style?: string;
}

/** One line of text; `y` is its baseline. */
export function label(
  x: number,
  y: number,
  text: string,
  size: number,
  fill: string,
  style: LabelStyle = {},
): string {
  if (text === '') return '';
  return element(
    'text',
    {
      x,
      y,
      fill,
      'font-size': size,
      'text-anchor': style.anchor === 'start' ? undefined : style.anchor,
      'font-weight': style.weight,
      'font-family': style.mono ? MONO : undefined,
      'font-style': style.style,
    },
    escapeXml(text),
  );
}

/** A coordinate inside path data. */
export function round(value: number): number {
  return Math.round(value * 10) / 10;
}
