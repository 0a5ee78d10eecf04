import { Decompress } from 'fzstd';

/** What came out of a block, or how it is damaged. */
export type Unpacked = { pieces: Uint8Array<ArrayBuffer>[] } | { damage: string };

/** fzstd does not look at a frame before it has 18 bytes, which small frames never have. */
const PADDING = new Uint8Array(17);

/** Unpacks the blocks of a file's frames, in their order. A block that was made to never end keeps it busy for minutes. */
export class ZstdBlocks {
  private pieces: Uint8Array<ArrayBuffer>[] = [];
  private frame = new Decompress(() => {});

  /** @param header the next frame's, whole. */
  startFrame(header: Uint8Array): Unpacked {
    this.pieces = [];
    this.frame = new Decompress((piece) => this.pieces.push(piece as Uint8Array<ArrayBuffer>));
    return this.push(header);
  }

  /** @param block a whole block of the frame, its header with it. A small one may come out with the next. */
  unpack(block: Uint8Array): Unpacked {
    const isLast = (block[0]! & 1) === 1;
    return this.push(isLast ? Buffer.concat([block, PADDING]) : block);
  }

  private push(packed: Uint8Array): Unpacked {
    try {
      this.frame.push(packed);
    } catch (error) {
      return { damage: (error as Error).message };
    }
    return { pieces: this.pieces.splice(0) };
  }
}
