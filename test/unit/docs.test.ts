import assert from 'node:assert/strict';
import { access, readFile } from 'node:fs/promises';
import { type Place, completionPlaces } from '../../src/cli/completion/places.js';
import { RETIRED_FLAGS } from '../../src/cli/options/retired-flags.js';
import { wholeProgram } from '../../src/cli/program.js';

const FLAG = /(?<![\w-])--?[A-Za-z][\w-]*/g;

/** Cells of the tables' rows in a section of Markdown. */
function rowsOf(section: string): string[][] {
  const rows = section.split('\n').filter((line) => line.startsWith('|'));
  return rows.slice(2).map((row) =>
    row
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

describe('docs/migration.md', () => {
  const retired = new Set(Object.keys(RETIRED_FLAGS).flatMap((flags) => flags.match(FLAG)!));
  /** The flags' sections by heading, with their rows. */
  let sections: { path: string; rows: string[][] }[];
  let places: Map<string, Place>;

  before(async () => {
    const text = await readFile('docs/migration.md', 'utf8');
    sections = text
      .split(/^### /m)
      .slice(1)
      .map((section) => ({
        path: (/^`virnucpro ?(.*)`/.exec(section)?.[1] ?? '').trim(),
        rows: rowsOf(section.split(/^## /m)[0]!),
      }));
    places = new Map(completionPlaces(await wholeProgram()).map((place) => [place.path, place]));
  });

  const has = (path: string, flag: string): boolean =>
    places.get(path)!.options.some(({ flags }) => flags.includes(flag));

  it('names no flag or command as ours that the program does not have', () => {
    let named = 0;
    for (const { path, rows } of sections) {
      for (const [, here] of rows) {
        for (const [, span] of here!.matchAll(/`([^`]+)`/g)) {
          const ofCommand = /^virnucpro\b/.test(span!);
          if (!ofCommand && !/^--?[A-Za-z]/.test(span!)) continue;
          const words = ofCommand ? span!.split(' ').slice(1) : [];
          const command = ofCommand ? words.filter((word) => /^[a-z][a-z-]*$/.test(word)).join(' ') : path;
          assert.ok(places.has(command), `${span}: no such command`);
          for (const flag of span!.match(FLAG) ?? []) assert.ok(has(command, flag), `${span}: no ${flag}`);
          named += 1;
        }
      }
    }
    assert.ok(named > 15, `only ${named} are named`);
  });

  it('calls only those flags the same that the command has under that name', () => {
    const same = sections.flatMap(({ path, rows }) =>
      rows
        .filter(([, here]) => here!.startsWith('the same'))
        .flatMap(([before]) => before!.match(FLAG)!.map((flag) => ({ path, flag }))),
    );
    assert.ok(same.length > 20);
    for (const { path, flag } of same) assert.ok(has(path, flag), `${path} ${flag}`);
  });

  it('has every retired flag once, as one without effect, and no other as such', () => {
    const rows = sections.find(({ path }) => path === 'predict')!.rows;
    const withoutEffect = rows
      .filter(([, here]) => here!.startsWith('no effect'))
      .flatMap(([before]) => before!.match(FLAG)!);
    assert.deepEqual(withoutEffect.sort(), [...retired].sort());
  });
});

describe('docs/wants.md', () => {
  it('has 25 wants, each done, in part or not yet, and names files that are there', async () => {
    const rows = rowsOf(await readFile('docs/wants.md', 'utf8'));
    assert.deepEqual(
      rows.map(([number]) => Number(number)),
      Array.from({ length: 25 }, (_, i) => i + 1),
    );
    for (const [number, , state, how] of rows) {
      assert.match(state!, /^(done|in part|not yet)$/, number);
      for (const [, file] of how!.matchAll(/`((?:test|src)\/[^`]+)`/g)) await access(file!);
    }
  });
});
