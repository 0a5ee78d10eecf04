import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { createRedraw } from '../../../src/cli/redraw.js';

/** A terminal of 20 columns, as far as log-update uses one; {@link screen} is what one sees on it. */
class FakeTerminal extends Writable {
  readonly isTTY = true;
  readonly columns = 20;
  readonly rows = 30;
  private readonly lines: string[] = [''];
  private row = 0;

  get screen(): string[] {
    return this.lines.map((line) => line.trimEnd()).filter((line) => line !== '');
  }

  override _write(chunk: Buffer, _: string, done: () => void): void {
    for (const [token] of chunk.toString().matchAll(/\x1b\[[?\d;]*[A-Za-z]|\n|[^\x1b\n]+/g)) this.take(token);
    done();
  }

  private take(token: string): void {
    const [, count, command] = /^\x1b\[(\d*)([A-Z])$/.exec(token) ?? [];
    const steps = Number(count || 1);
    if (command === 'A') this.row = Math.max(0, this.row - steps);
    else if (command === 'B') this.move(this.row + steps);
    else if (command === 'E') this.move(this.row + steps);
    else if (command === 'F') this.row = Math.max(0, this.row - steps);
    else if (command === 'K' && count === '2') this.lines[this.row] = '';
    else if (command === 'J') this.lines.length = this.row + 1;
    else if (token === '\n') this.move(this.row + 1);
    else if (!token.startsWith('\x1b')) this.lines[this.row] = token;
  }

  private move(row: number): void {
    while (this.lines.length <= row) this.lines.push('');
    this.row = row;
  }
}

describe('redraw', () => {
  it('shows the last text whole, whatever stood there before', () => {
    const terminal = new FakeTerminal();
    const redraw = createRedraw(terminal as unknown as NodeJS.WriteStream);
    const frames = [
      ['asking'],
      ['split 0', 'dna 0', 'esm 0', 'classify 0'],
      ['split 1', 'dna 0', 'esm 0', 'classify 0'],
      ['split 1', 'dna 1', '  1 lane', 'esm 0', 'classify 0'],
      ['split 1', 'dna 2', '  1 lane', 'esm 0', 'classify 0'],
      ['split 1', 'dna 2', '  1 lane', '  1 load', 'esm 0', 'classify 0', '! a warning'],
      ['split 1', 'dna 9', 'esm 1', 'classify 0'],
    ];
    for (const frame of frames) {
      redraw(frame.join('\n'));
      assert.deepEqual(terminal.screen, frame);
    }
    redraw.done();
  });
});
