import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { InputError } from '../../../src/contract/failures.js';
import { AMINO_ACIDS } from '../../../src/io/alphabet.js';
import { readFasta, type ReadFastaOptions } from '../../../src/io/fasta.js';
import { pieces } from '../../support/pieces.js';
import { GOLDEN_CASES } from '../../support/golden.js';

/** Records as `id|description|sequence|line`. */
async function records(bytes: Uint8Array | string, size?: number, options?: ReadFastaOptions): Promise<string[]> {
  const found: string[] = [];
  for await (const { id, description, sequence, line, index } of readFasta(pieces(bytes, size), 'x.fa', options)) {
    assert.equal(index, found.length);
    found.push([id, description, Buffer.from(sequence).toString('latin1'), line].join('|'));
  }
  return found;
}

/** Reads `text`, which must be refused in whatever pieces it comes. */
async function refusal(text: Uint8Array | string): Promise<{ what: string; where: string | undefined; next: string }> {
  const errors = await Promise.all(
    [1, 3, Infinity].map((size) =>
      records(text, size).then(
        () => undefined,
        (error: unknown) => error,
      ),
    ),
  );
  const [first] = errors;
  assert.ok(first instanceof InputError);
  for (const error of errors) assert.deepEqual(String(error), String(first));
  const { what, where, next } = first;
  return { what, where, next };
}

describe('io/fasta', () => {
  it('reads wrapped and unwrapped records, keeps case, drops line breaks and blanks', async () => {
    const text = '\n>a first one\nACGT\nac gt\t\n\n>b\n>c\tx\nN-*\n> d  \nT';
    const expected = ['a|first one|ACGTacgt|2', 'b|||6', 'c|x|N-*|7', 'd||T|9'];
    for (const size of [1, 2, 5, Infinity]) assert.deepEqual(await records(text, size), expected);
  });

  it('takes CR LF and CR for line ends', async () => {
    const text = '>a b\nAC\nGT\n\n>c\nTT\n';
    const expected = await records(text);
    for (const end of ['\r\n', '\r']) {
      for (const size of [1, 3, Infinity]) assert.deepEqual(await records(text.replaceAll('\n', end), size), expected);
    }
  });

  it('reads byte by byte what it reads at once', async () => {
    const text = await readFile(`${GOLDEN_CASES}/edge-500/input.fa`);
    const whole = await records(text);
    assert.equal(whole.length, 13);
    assert.deepEqual(await records(text, 1), whole);
    assert.deepEqual(await records(text, 61), whole);
  });

  it('grows over a record of several megabytes, and starts anew for the next', async () => {
    const long = 'ACGTN'.repeat(1_000_000);
    const [first, second, third] = await records(
      `>long\n${long.replace(/.{70}/g, '$&\n')}\n>short\nAC\n>l2\n${long}`,
      1 << 16,
    );
    assert.equal(first, `long||${long}|1`);
    assert.match(second!, /^short\|\|AC\|/);
    assert.equal(third!.split('|')[2], long);
  });

  it('succeeds on files without records, and on empty records', async () => {
    for (const text of ['', '\n', '\r\n\r\n  \n']) assert.deepEqual(await records(text), []);
    assert.deepEqual(await records('>a'), ['a|||1']);
    assert.deepEqual(await records('>a\n\n>b'), ['a|||1', 'b|||3']);
  });

  it('says what a file is that is not FASTA', async () => {
    const fastq = await refusal('@r1\nACGT\n+\nIIII\n');
    assert.deepEqual([fastq.what, fastq.where], ['not FASTA but FASTQ', 'x.fa, line 1']);
    assert.match(fastq.next, /seqkit fq2fa .* seqtk seq -a/);
    assert.equal((await refusal('\n\nhello world\n')).what, 'not FASTA: it starts with "hello wo" instead of ">"');
    assert.equal((await refusal('\n\nhello world\n')).where, 'x.fa, line 3');
    assert.equal((await refusal('@SQ\tSN:1')).what, 'not FASTA but SAM');
    assert.equal((await refusal('BZh91AY&SY')).what, 'not FASTA but bzip2-compressed');
    assert.equal(
      (await refusal(Buffer.from('\xef\xbb\xbf>a\nA', 'latin1'))).what,
      'not FASTA but text with a byte order mark',
    );
    assert.equal((await refusal('AC\n')).what, 'not FASTA: it starts with "AC" instead of ">"');
  });

  it('names the letter, line and record that are no nucleotides', async () => {
    const protein = await refusal('>ok\nACGT\n>p1 x\nMKV\nLLE\n');
    assert.equal(protein.what, 'letter L is no nucleotide; allowed are ACGTUNRYKMSWBDHV-* in either case');
    assert.equal(protein.where, 'x.fa, line 5, record p1');
    assert.match(protein.next, /protein/);
    assert.match((await refusal('>a\nAC\x00\x01')).next, /binary/);
    assert.match((await refusal('>a\nACGT\n+\nIIII')).next, /FASTQ/);
    assert.match((await refusal('>a\nAC>b\n')).what, /^letter > is no nucleotide/);
    assert.match((await refusal('>a\nAC1\n')).next, /Correct the line/);
  });

  it('reads proteins when asked to', async () => {
    assert.deepEqual(await records('>p\nMKVLXBZUO\n', 1, { alphabet: AMINO_ACIDS }), ['p||MKVLXBZUO|1']);
    await assert.rejects(records('>p\nMK1', 1, { alphabet: AMINO_ACIDS }), /letter 1 is no amino acid/);
  });

  it('wants one id for each record', async () => {
    const twice = await refusal('>a x\nAC\n>b\n>a y\nGT\n');
    assert.deepEqual([twice.what, twice.where], ['this id is used by an earlier record', 'x.fa, line 4, record a']);
    const none = await refusal('>a\nAC\n>\nGT\n');
    assert.deepEqual([none.what, none.where], ['record without an id', 'x.fa, line 3, record 2']);
    assert.equal((await refusal('>')).what, 'record without an id');
    assert.equal((await refusal(Buffer.from('>\xe9\nAC', 'latin1'))).what, 'id is not UTF-8 text');
  });

  it('renames repeated ids when asked to, in the order of the file, and never to one that is taken', async () => {
    const ids = async (text: string): Promise<string[]> => {
      const found = await records(text.replace(/\S+/g, '>$& of old\nAC'), 3, { renameDuplicates: true });
      return found.map((record) => record.split('|of old|AC')[0]!);
    };
    assert.deepEqual(await ids('a\na\na_2\na\n'), ['a', 'a_2', 'a_2_2', 'a_3']);
    assert.deepEqual(await ids('a_2\na\na\na\na_3\n'), ['a_2', 'a', 'a_3', 'a_4', 'a_3_2']);
    assert.deepEqual(await ids('a\nb\nc\n'), ['a', 'b', 'c']);
    assert.deepEqual(await ids('é\né\n'), ['é', 'é_2']);
  });

  it('goes on behind a problem when it is told of: one wrong letter a record, and every id', async () => {
    const problems: InputError[] = [];
    const onProblem = (problem: InputError): number => problems.push(problem);
    const text = Buffer.from('>a\nA1C2\n>\nGT3\n>a\nAC\n>\n>\xe9\nA>C\n>b\nTT\n', 'latin1');
    const found = await records(text, 2, { onProblem });
    assert.deepEqual(
      found.map((record) => record.split('|')[0]),
      ['a', '', 'a', '', '\xe9', 'b'],
    );
    assert.deepEqual(
      problems.map(({ where, what }) => `${where}: ${what.split(';')[0]}`),
      [
        'x.fa, line 2, record a: letter 1 is no nucleotide',
        'x.fa, line 3, record 2: record without an id',
        'x.fa, line 4, record : letter 3 is no nucleotide',
        'x.fa, line 5, record a: this id is used by an earlier record',
        'x.fa, line 7, record 4: record without an id',
        'x.fa, line 8, record 5: id is not UTF-8 text',
        'x.fa, line 9, record \xe9: letter > is no nucleotide',
      ],
    );
  });

  it('refuses a header line without end', async () => {
    await assert.rejects(records(`>${'x'.repeat((1 << 20) + 1)}`, 1 << 16), /header line of more than/);
  });

  it('stops when it is aborted', async () => {
    const controller = new AbortController();
    async function* endless(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('>a\n');
      for (;;) yield Buffer.alloc(1 << 16, 'A');
    }
    setTimeout(() => controller.abort(new Error('enough')), 50);
    await assert.rejects(async () => {
      for await (const record of readFasta(endless(), 'x.fa', { signal: controller.signal })) assert.fail(record.id);
    }, /enough/);
  });
});
