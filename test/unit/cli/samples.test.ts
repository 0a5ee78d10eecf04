import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { resolveSamples } from '../../../src/cli/samples.js';

describe('resolveSamples', () => {
  let dir: string;
  before(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'virnucpro-samples-'));
    await mkdir(path.join(dir, 'reads', 'sub'), { recursive: true });
    await mkdir(path.join(dir, 'none'));
    for (const file of ['b.fa', 'B.fasta.gz', 'a.fna.bgz', 'é.ffn', 'notes.txt', 'sub/deep.fa']) {
      await writeFile(path.join(dir, 'reads', file), '');
    }
    await writeFile(path.join(dir, 'one.fa'), '');
  });
  after(() => rm(dir, { recursive: true, force: true }));

  const sheet = async (text: string): Promise<string> => {
    const file = path.join(dir, 'sheet.csv');
    await writeFile(file, text);
    return file;
  };

  it('gives one file the output folder itself', async () => {
    const input = path.join(dir, 'one.fa');
    assert.deepEqual(await resolveSamples([input]), [{ name: 'one', input, stem: 'one', prefix: '' }]);
    assert.deepEqual(await resolveSamples(['-']), [{ name: 'stdin', input: '-', stem: 'stdin', prefix: '' }]);
  });

  it('gives several a folder each: files, then folders in code point order, then the sheet', async () => {
    await rm(path.join(dir, 'reads', 'B.fasta.gz'));
    const sheetFile = await sheet('path,note,sample\n"reads/sub/deep.fa",x,"deep, one"\n');
    const samples = await resolveSamples([path.join(dir, 'one.fa'), path.join(dir, 'reads')], sheetFile);
    assert.deepEqual(
      samples.map(({ name, stem, prefix, input }) => [name, stem, prefix, path.relative(dir, input)]),
      [
        ['one', 'one', 'one/', 'one.fa'],
        ['a', 'a', 'a/', 'reads/a.fna.bgz'],
        ['b', 'b', 'b/', 'reads/b.fa'],
        ['é', 'é', 'é/', 'reads/é.ffn'],
        ['deep, one', 'deep', 'deep, one/', 'reads/sub/deep.fa'],
      ],
    );
    await writeFile(path.join(dir, 'reads', 'B.fasta.gz'), '');
  });

  it('expands patterns that the shell has left alone, and says when nothing matches', async () => {
    const names = async (pattern: string): Promise<string[]> =>
      (await resolveSamples([path.join(dir, 'reads', pattern)])).map(({ input }) => path.relative(dir, input));
    assert.deepEqual(await names('[ab].f*'), ['reads/a.fna.bgz', 'reads/b.fa']);
    assert.deepEqual(await names('**/d?ep.{fa,fna}'), ['reads/sub/deep.fa']);
    const pattern = path.join(dir, 'reads', '*.fq');
    await assert.rejects(resolveSamples([pattern]), {
      name: 'InputError',
      what: 'no file matches this pattern',
      where: pattern,
    });
    await writeFile(path.join(dir, 'odd[1].fa'), '>a\nACGT\n');
    const [odd] = await resolveSamples([path.join(dir, 'odd[1].fa')]);
    assert.equal(odd!.name, 'odd[1]');
  });

  it('names every input that is wrong', async () => {
    const [gone, lost] = [path.join(dir, 'gone.fa'), path.join(dir, 'lost')];
    await assert.rejects(resolveSamples([path.join(dir, 'one.fa'), gone, lost]), {
      name: 'InputError',
      what: `2 of 3 inputs cannot be used: ${gone} (no such file); ${lost} (no such file)`,
    });
    await assert.rejects(resolveSamples([path.join(dir, 'gone.fa')]), { what: 'no such file', next: 'Check the path' });
    await assert.rejects(resolveSamples(['s3://bucket/a.fa.gz']), { what: 'an address; inputs are files' });
    const sheet = path.join(dir, 'addresses.csv');
    await writeFile(sheet, 'sample,path\na,https://example.org/a.fa\n');
    await assert.rejects(resolveSamples([], sheet), { where: `${sheet}, line 2, https://example.org/a.fa` });
  });

  it('refuses names that are one folder on some file system', async () => {
    const reads = path.join(dir, 'reads');
    await assert.rejects(resolveSamples([reads]), { name: 'OptionError', where: path.join(reads, 'b.fa') });
  });

  it('says what is wrong with a sheet, and on which line', async () => {
    for (const [text, line, what] of [
      ['', 1, /no column sample and no column path/],
      ['sample,file\n', 1, /no column path, its columns are: sample, file/],
      ['sample,path\na,one.fa\n\na,one.fa\n', 4, /"a" is taken by .*line 2/],
      ['sample,path\na,one.fa,more\n', 2, /3 fields, the first line has 2/],
      ['sample,path\na,one.fa\nb,gone.fa\n', 3, /no such file/],
      ['sample,path\na,reads\n', 2, /is no regular file/],
      ['sample,path\n../a,one.fa\n', 2, /starts with a dot/],
      ['sample,path\na/b,one.fa\n', 2, /path separator/],
      ['sample,path\nEmbeddings,one.fa\n', 2, /kept for the campaign/],
      ['sample,path\n,one.fa\n', 2, /is empty/],
    ] as const) {
      await assert.rejects(resolveSamples([], await sheet(text)), (error: Error & { where: string; what: string }) => {
        assert.match(error.where, new RegExp(`sheet\\.csv, line ${line}(,|$)`), text);
        assert.match(error.what, what);
        return true;
      });
    }
    await assert.rejects(resolveSamples([], await sheet('sample,path\n')), { what: 'the sheet has no samples' });
  });

  it('refuses paths that no file system takes', async () => {
    for (const [file, what] of [
      ['a\0b.fa', /null character/],
      ['x'.repeat(5000), /longer than the file system takes/],
    ] as const) {
      await assert.rejects(resolveSamples([], await sheet(`sample,path\ns,${file}\n`)), { name: 'InputError', what });
      await assert.rejects(resolveSamples([file]), { name: 'InputError', what });
    }
  });

  it('refuses folders without FASTA, no input at all, and standard input beside others', async () => {
    await assert.rejects(resolveSamples([path.join(dir, 'none')]), { name: 'InputError' });
    await assert.rejects(resolveSamples([]), { name: 'OptionError', what: 'no input' });
    await assert.rejects(resolveSamples(['-', path.join(dir, 'one.fa')]), { name: 'OptionError' });
    await assert.rejects(resolveSamples([path.join(dir, 'gone.fa')]), { name: 'InputError', what: 'no such file' });
  });
});
