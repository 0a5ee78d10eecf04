/**
 * The licences of what is installed with the package: `licences.mjs` fails when one of them is not allowed or not known, or
 * when docs/licences.md is not the list of them; `licences.mjs --write` writes that page. Reads package-lock.json only.
 */
import { readFileSync, writeFileSync } from 'node:fs';

const PAGE = 'docs/licences.md';

/** Permissive ones: they ask to be named, and nothing of those who use us. */
const ALLOWED = new Set([
  ...['MIT', 'ISC', '0BSD', 'BSD-2-Clause', 'BSD-3-Clause', 'Apache-2.0', 'BlueOak-1.0.0', 'Unlicense', 'CC0-1.0'],
  // Data, not code: caniuse-lite.
  'CC-BY-4.0',
]);

/** Of packages that do not say it in the usual field: looked up in their own LICENSE file. */
const KNOWN = { unionfs: 'Unlicense' };

const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8'));
const found = new Map();
for (const [path, { dev, version, license, link }] of Object.entries(packages)) {
  if (path === '' || dev || link) continue;
  const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
  found.set(`${name} ${version}`, license ?? KNOWN[name]);
}

const refused = [...found].filter(([, licence]) => !isAllowed(licence));
for (const [name, licence] of refused) say(`${name}: ${licence ?? 'no licence given'} is not among those allowed`);
if (refused.length > 0) say('See scripts/licences.mjs: leave the package out, or add its licence after reading it');

const page = pageOf(found);
if (process.argv.includes('--write')) writeFileSync(PAGE, page);
else if (readFileSync(PAGE, 'utf8') !== page) {
  say(`${PAGE} is not the list of today's packages: node scripts/licences.mjs --write`);
  process.exitCode = 1;
}
if (refused.length > 0) process.exitCode = 1;

/** An SPDX expression: of alternatives one must be allowed, of joined ones each. */
function isAllowed(expression) {
  if (expression === undefined) return false;
  const alternatives = expression.replace(/^\((.*)\)$/, '$1').split(' OR ');
  return alternatives.some((all) => all.split(' AND ').every((one) => ALLOWED.has(one)));
}

function pageOf(licences) {
  const groups = grouped(licences);
  const sections = [...groups]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([licence, members]) => {
      const names = members.map(([name]) => `\`${name}\``).sort();
      return `## ${licence}\n\n${names.join(', ')}\n`;
    });
  return `# Licences

What \`npm install\` brings along beside VirNucPro itself (MIT), by licence. Written by \`node scripts/licences.mjs --write\`
from package-lock.json; \`npm test\` fails when it is not so any more, or when a licence is not permissive.

${sections.join('\n')}`;
}

function grouped(entries) {
  const groups = new Map();
  for (const entry of entries) groups.set(entry[1], [...(groups.get(entry[1]) ?? []), entry]);
  return groups;
}

function say(text) {
  process.stderr.write(`${text}\n`);
}
