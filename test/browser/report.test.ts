import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { SampleResult } from '../../src/contract/run.js';
import { campaignTable } from '../../src/io/campaign-table.js';
import { rewriteReports, writeRunReport } from '../../src/report/write-report.js';
import { Browser, hasChromium } from '../support/chromium.js';
import { fakeMetagenome, numbers, writeFakeSample } from '../support/report-folders.js';

const HOSTILE = `<img/src=x/onerror="document.title='pwned'">'`;

/** Pictures are kept where this says, to be looked at. */
const PICTURES = process.env['VIRNUCPRO_TEST_PICTURES'];

(hasChromium() ? describe : describe.skip)('report in a browser (needs chromium)', function () {
  this.timeout(60_000);
  let dir: string;
  let browser: Browser;
  before(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'vnp-browser-'));
    browser = await Browser.open();
  });
  after(async () => {
    await browser.close();
    await rm(dir, { recursive: true });
  });

  const looks = [
    { name: 'light', width: 1100 },
    { name: 'dark', width: 1100, scheme: 'dark' },
    { name: 'phone', width: 390 },
  ] as const;

  /** Shows a page each way: nothing complains, nothing else is loaded, and it is no wider than the screen. */
  const check = async (file: string, picture: string): Promise<void> => {
    for (const look of looks) {
      const page = await browser.visit(file, look);
      assert.deepEqual(page.complaints, []);
      assert.deepEqual(page.requests, [pathToFileURL(file).href]);
      assert.ok((await page.ask<number>('document.documentElement.scrollWidth')) <= look.width, look.name);
      const background = await page.ask<string>('getComputedStyle(document.body).backgroundColor');
      assert.equal(background, 'scheme' in look ? 'rgb(18, 22, 26)' : 'rgb(255, 255, 255)');
      if (PICTURES !== undefined) await page.picture(path.join(PICTURES, `${picture}-${look.name}.png`));
    }
  };

  it('shows a sample with a prophage, quarantined frames and a hostile id', async () => {
    const folder = path.join(dir, 'sample');
    const hostile = { id: HOSTILE, length: 6000, scores: Array<number>(12).fill(0.97), quarantined: [4, 5] };
    await writeFakeSample(folder, 'soil_7', [...fakeMetagenome(60), hostile]);
    const file = await rewriteReports(folder);
    await check(file, 'sample');
    const page = await browser.visit(file, { width: 1100 });
    assert.equal(await page.ask('document.title'), 'soil_7: VirNucPro report');
    // Two histograms, five viral contigs, two that are not viral but hold a region, the steps, and the lanes.
    assert.equal(await page.ask('document.querySelectorAll("svg").length'), 11);
    assert.equal(
      await page.ask('[...document.querySelectorAll("h3")].some((h) => h.textContent.startsWith("<img"))'),
      true,
    );
  });

  it('shows a sample without a viral contig, and an empty one', async () => {
    const scores = Array<number>(6).fill(0.1);
    await writeFakeSample(path.join(dir, 'none'), 'none', [{ id: 'host', length: 3000, scores }]);
    await check(await rewriteReports(path.join(dir, 'none')), 'none');
    await writeFakeSample(path.join(dir, 'empty'), 'empty', []);
    await check(await rewriteReports(path.join(dir, 'empty')), 'empty');
  });

  for (const samples of [1, 500]) {
    it(`shows the overview of ${samples} sample(s), and sorts it`, async () => {
      const run = path.join(dir, `run-${samples}`);
      const random = numbers(9);
      const counts = await writeFakeSample(path.join(run, 'gut_0'), 'gut_0', fakeMetagenome(5));
      const results = Array.from({ length: samples }, (_, i): SampleResult => {
        if (i % 100 === 7) {
          const failure = { type: 'InputError', what: 'not a FASTA file', where: 'gut.fq, line 1', next: '' };
          return { sample: `gut_${i}`, status: 'failed', failure };
        }
        const contigsViral = Math.floor(200 * random() ** 3);
        return { sample: `gut_${i}`, status: 'done', counts: { ...counts, contigs: 200, contigsViral } };
      });
      await writeFile(path.join(run, 'campaign.tsv'), campaignTable(results));
      await writeRunReport(run, false);
      const file = path.join(run, 'report.html');
      await check(file, `run-${samples}`);
      const page = await browser.visit(file, { width: 1100 });
      const column =
        '[...document.querySelectorAll("table.sortable tbody tr")].map((row) => Number(row.cells[2].dataset.v))';
      await page.ask('document.querySelectorAll("table.sortable th button")[2].click()');
      const sorted = await page.ask<number[]>(column);
      assert.deepEqual(
        sorted,
        [...sorted].sort((a, b) => b - a),
      );
      assert.equal(sorted.length, samples);
      await page.ask('document.querySelectorAll("table.sortable th button")[2].click()');
      assert.deepEqual(
        await page.ask<number[]>(column),
        [...sorted].reverse().sort((a, b) => a - b),
      );
      const href = await page.ask('document.querySelector("a").href');
      assert.match(href as string, /^file:.*\/gut_\d+\/report\.html$/);
    });
  }
});
