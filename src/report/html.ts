const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** A value that can stand in a template of {@link Html.of}. */
export type Piece = Html | readonly Html[] | string | number;

/** A piece of HTML. Whatever else gets into a page is escaped: contig and sample names are anybody's text. */
export class Html {
  private constructor(readonly text: string) {}

  /** A template literal: what is not {@link Html} itself is escaped. */
  static of(strings: TemplateStringsArray, ...values: readonly Piece[]): Html {
    return new Html(strings.map((string, i) => string + (i < values.length ? textOf(values[i]!) : '')).join(''));
  }

  /** Markup of our own making, e.g. an SVG that holds no text of an input. */
  static trusted(text: string): Html {
    return new Html(text);
  }

  static readonly empty = new Html('');
}

function textOf(value: Piece): string {
  if (value instanceof Html) return value.text;
  if (typeof value === 'object') return value.map(({ text }) => text).join('');
  // Control characters other than tab and line breaks are not allowed in HTML.
  return String(value)
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/g, '\ufffd')
    .replace(/[&<>"']/g, (letter) => ENTITIES[letter]!);
}
