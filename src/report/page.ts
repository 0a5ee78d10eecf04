import { createHash } from 'node:crypto';
import { Html } from './html.js';

const STYLE = `
:root { color-scheme: light dark; --virus: #c62828; --other: #2f6fb0; --unsure: #b07d00; --none: #9aa1a9;
  --ink: #1c2024; --soft: #5b6470; --line: #d5dae0; --card: #f5f7f9; --page: #fff; }
@media (prefers-color-scheme: dark) { :root { --virus: #ff7b72; --other: #6cb2f2; --unsure: #e0b13c; --none: #6b737c;
  --ink: #e4e8ec; --soft: #9ba4ae; --line: #353c44; --card: #1b2026; --page: #12161a; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 24px 20px 48px; }
h1 { font-size: 1.6rem; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; margin: 2.4rem 0 .6rem; padding-top: 1rem; border-top: 1px solid var(--line); }
h3 { font-size: .95rem; margin: 1.4rem 0 .3rem; overflow-wrap: anywhere; } h3 .soft { font-weight: 400; }
p { margin: .4rem 0; } .soft { color: var(--soft); font-size: .88rem; }
a { color: var(--other); }
code { font: .86em ui-monospace, monospace; overflow-wrap: anywhere; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 10px; margin: 1rem 0; }
.card { background: var(--card); border-radius: 8px; padding: 10px 14px; }
.card b { display: block; font-size: 1.45rem; line-height: 1.25; font-variant-numeric: tabular-nums; }
.card.virus b { color: var(--virus); }
.card span { color: var(--soft); font-size: .85rem; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 380px), 1fr)); gap: 8px 28px; }
.chart { overflow-x: auto; } .chart svg { display: block; max-width: 100%; height: auto; }
.wide svg { min-width: 560px; }
.scroll { overflow-x: auto; margin: .4rem 0 1rem; }
/* An edge is shaded while there is more behind it: phones show no scroll bar. */
.scroll, .chart { background: linear-gradient(90deg, var(--page) 40%, transparent) left / 36px 100% no-repeat local,
  linear-gradient(-90deg, var(--page) 40%, transparent) right / 36px 100% no-repeat local,
  linear-gradient(90deg, var(--line), transparent) left / 12px 100% no-repeat,
  linear-gradient(-90deg, var(--line), transparent) right / 12px 100% no-repeat; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { text-align: left; padding: 5px 12px 5px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th { font-weight: 600; vertical-align: bottom; }
td { white-space: nowrap; } td.text { white-space: normal; overflow-wrap: anywhere; min-width: 9rem; }
.n { text-align: right; font-variant-numeric: tabular-nums; } .n + :not(.n) { padding-left: 12px; }
th button { all: unset; cursor: pointer; } th button:focus-visible { outline: 2px solid var(--other); }
th[aria-sort] button::after { content: ' \\2195'; color: var(--soft); }
th[aria-sort=ascending] button::after { content: ' \\2191'; } th[aria-sort=descending] button::after { content: ' \\2193'; }
dl { display: grid; grid-template-columns: minmax(7rem, max-content) 1fr; gap: 4px 18px; margin: .6rem 0; font-size: .92rem; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
.bar { display: flex; height: 18px; border-radius: 4px; overflow: hidden; margin: .5rem 0; gap: 1px; }
.bar i { min-width: 2px; }
.legend { display: flex; flex-wrap: wrap; gap: 2px 18px; font-size: .88rem; }
.key::before { content: ''; display: inline-block; width: .75em; height: .75em; border-radius: 2px; margin-right: .4em; background: var(--tone); }
.virus { --tone: var(--virus); } .other { --tone: var(--other); } .unsure { --tone: var(--unsure); } .none { --tone: var(--none); }
.bar i { background: var(--tone); }
.share { display: block; margin-left: auto; height: 4px; border-radius: 2px; background: var(--virus); min-width: 1px; }
details { margin: .6rem 0; } summary { cursor: pointer; color: var(--soft); }
footer { margin-top: 3rem; color: var(--soft); font-size: .85rem; }
@media (max-width: 520px) { main { padding: 16px 14px 32px; } dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: .5rem; } }
@media print { .scroll, .chart { overflow: visible; } }
`;

/** Sorts the rows of a table by a column when its heading is pressed: numbers by `data-v`, else text. */
const SORTING = `
for (const table of document.querySelectorAll('table.sortable')) {
  const heads = [...table.tHead.rows[0].cells];
  const key = (row, i) => row.cells[i].dataset.v === undefined ? row.cells[i].textContent : Number(row.cells[i].dataset.v);
  heads.forEach((head, i) => head.querySelector('button').addEventListener('click', () => {
    const up = head.getAttribute('aria-sort') === 'descending' ? 1 : head.getAttribute('aria-sort') === 'ascending' ? -1
      : head.classList.contains('n') ? -1 : 1;
    heads.forEach((other) => other.setAttribute('aria-sort', 'none'));
    head.setAttribute('aria-sort', up > 0 ? 'ascending' : 'descending');
    const rows = [...table.tBodies[0].rows];
    rows.sort((a, b) => { const x = key(a, i), y = key(b, i);
      return up * (typeof x === 'number' && typeof y === 'number' ? x - y : String(x).localeCompare(String(y))); });
    table.tBodies[0].append(...rows);
  }));
}
`;

/**
 * A whole page: one file that loads nothing. Its policy forbids the browser to load anything, whatever got into it, and to
 * run any script but our own.
 */
export function page(title: string, body: Html, { sortable = false } = {}): string {
  const digest = createHash('sha256').update(SORTING).digest('base64');
  const policy = `default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src ${sortable ? `'sha256-${digest}'` : "'none'"}`;
  return Html.of`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<link rel="icon" href="data:,">
<style>${Html.trusted(STYLE)}</style>
</head>
<body>
<main>
${body}
</main>
${sortable ? Html.of`<script>${Html.trusted(SORTING)}</script>` : Html.empty}
</body>
</html>
`.text;
}

/** A column of a table: its heading, what a cell shows, and the number it is sorted by, if it is one. */
export interface Column<T> {
  head: string;
  cell: (row: T) => Html | string | number;
  /** The cell is this number, right-aligned; `cell` shows it. */
  number?: (row: T) => number;
  /** The cell may be long, and is broken anywhere. */
  text?: true;
}

/** A table that scrolls sideways where it does not fit. */
export function table<T>(
  rows: readonly T[],
  columns: readonly Column<T>[],
  { caption = '', sortable = false } = {},
): Html {
  const head = columns.map(({ head, number }) => {
    const name = sortable ? Html.of`<button type="button">${head}</button>` : Html.of`${head}`;
    const sort = sortable ? Html.trusted(' aria-sort="none"') : Html.empty;
    return Html.of`<th scope="col"${number ? Html.trusted(' class="n"') : Html.empty}${sort}>${name}</th>`;
  });
  const body = rows.map((row) => {
    const cells = columns.map(({ cell, number, text }) => {
      if (number === undefined)
        return Html.of`<td${text ? Html.trusted(' class="text"') : Html.empty}>${cell(row)}</td>`;
      const value = number(row);
      return Html.of`<td class="n"${sortable ? Html.of` data-v="${Number.isFinite(value) ? value : -1}"` : Html.empty}>${cell(row)}</td>`;
    });
    return Html.of`<tr>${cells}</tr>\n`;
  });
  return Html.of`${caption === '' ? Html.empty : Html.of`<p class="soft">${caption}</p>`}
<div class="scroll"><table${sortable ? Html.trusted(' class="sortable"') : Html.empty}>
<thead><tr>${head}</tr></thead>
<tbody>${body}</tbody></table></div>`;
}

/** Names and values. */
export function facts(pairs: readonly (readonly [string, Html | string | number])[]): Html {
  return Html.of`<dl>${pairs.map(([name, value]) => Html.of`<dt>${name}</dt><dd>${value}</dd>`)}</dl>`;
}

/** Key figures. */
export function cards(figures: readonly { value: string; name: string; virus?: boolean }[]): Html {
  return Html.of`<div class="cards">${figures.map(
    ({ value, name, virus }) =>
      Html.of`<div class="card${virus ? ' virus' : ''}"><b>${value}</b><span>${name}</span></div>`,
  )}</div>`;
}

/** Parts of a whole as one bar with its legend. */
export function shares(parts: readonly { name: string; tone: string; count: number }[]): Html {
  const shown = parts.filter(({ count }) => count > 0);
  const total = shown.reduce((sum, { count }) => sum + count, 0);
  const share = (count: number): string => `${((100 * count) / total).toFixed(1)} %`;
  return Html.of`<div class="bar" aria-hidden="true">${shown.map(
    ({ tone, count }) => Html.of`<i class="${tone}" style="flex:${count}"></i>`,
  )}</div>
<div class="legend">${shown.map(
    ({ name, tone, count }) => Html.of`<span class="key ${tone}">${name}: ${whole(count)} (${share(count)})</span>`,
  )}</div>`;
}

/** `12,345`. */
export function whole(count: number): string {
  return count.toLocaleString('en-US', { maximumFractionDigits: 0 });
}

/** `1 contig`, `2,000 contigs`. */
export function counted(count: number, thing: string): string {
  return `${whole(count)} ${thing}${count === 1 ? '' : 's'}`;
}

/** `1.23 Mb`, `456 bases`. */
export function basesText(bases: number): string {
  if (bases >= 1e9) return `${(bases / 1e9).toFixed(2)} Gb`;
  if (bases >= 1e6) return `${(bases / 1e6).toFixed(2)} Mb`;
  return bases >= 1_000 ? `${(bases / 1e3).toFixed(1)} kb` : counted(bases, 'base');
}
