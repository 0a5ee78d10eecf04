/** The first of many in an order, without holding the rest. */
export class Top<T> {
  private readonly kept: T[] = [];
  /** How many were offered. */
  total = 0;

  constructor(
    private readonly size: number,
    private readonly compare: (a: T, b: T) => number,
  ) {}

  add(item: T): void {
    this.total += 1;
    const last = this.kept.at(-1);
    if (this.kept.length === this.size && this.compare(item, last!) >= 0) return;
    let at = this.kept.length;
    while (at > 0 && this.compare(item, this.kept[at - 1]!) < 0) at -= 1;
    this.kept.splice(at, 0, item);
    if (this.kept.length > this.size) this.kept.pop();
  }

  get items(): readonly T[] {
    return this.kept;
  }
}
