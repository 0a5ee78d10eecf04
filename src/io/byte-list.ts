const LF = 10;
const ZERO = 48;

/** A growing array of bytes for text files. Moves bytes natively, which beats any loop over them by far. */
export class ByteList {
  length = 0;

  /** @param bytes where it grows, until that is full. Only those before {@link length} mean anything. */
  constructor(public bytes: Uint8Array<ArrayBuffer>) {}

  /** Makes room for `more` bytes: to be called before any of the others. */
  reserve(more: number): void {
    if (this.length + more <= this.bytes.length) return;
    const larger = new Uint8Array(2 * (this.length + more));
    larger.set(this.view());
    this.bytes = larger;
  }

  append(source: Uint8Array): void {
    this.bytes.set(source, this.length);
    this.length += source.length;
  }

  lineFeed(): void {
    this.bytes[this.length++] = LF;
  }

  /** `source` in lines of `width`. */
  appendLines(source: Uint8Array, width: number): void {
    const { bytes, length } = this;
    bytes.set(source, length);
    const last = Math.ceil(source.length / width) - 1;
    for (let line = last; line > 0; line--) {
      const start = length + line * width;
      bytes.copyWithin(start + line, start, Math.min(start + width, length + source.length));
      bytes[start + line - 1] = LF;
    }
    this.length += source.length + last;
    this.lineFeed();
  }

  /** Digits of a whole number. */
  appendNumber(number: number): void {
    let end = this.length + 1;
    for (let rest = number; rest >= 10; rest = Math.floor(rest / 10)) end += 1;
    this.length = end;
    for (let at = end - 1, rest = number; rest > 0; at--, rest = Math.floor(rest / 10)) {
      this.bytes[at] = ZERO + (rest % 10);
    }
  }

  /** The bytes so far, as a view. */
  view(start = 0): Uint8Array<ArrayBuffer> {
    return this.bytes.subarray(start, this.length);
  }
}
