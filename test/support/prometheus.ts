import { freePort } from './free-port.js';

/** Series of one scrape. */
export class Scrape {
  /** Types by name, as the page declares them. */
  readonly types: ReadonlyMap<string, string>;
  private readonly samples: { name: string; labels: Record<string, string>; value: number }[] = [];

  constructor(text: string) {
    this.types = new Map([...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => [name!, type!]));
    for (const [, name, labels, value] of text.matchAll(/^([a-z_]+)(?:\{(.*)\})? (\S+)$/gm)) {
      const pairs = [...(labels ?? '').matchAll(/(\w+)="([^"]*)"/g)].map(([, key, word]) => [key!, word!]);
      this.samples.push({
        name: name!,
        labels: Object.fromEntries(pairs) as Record<string, string>,
        value: Number(value),
      });
    }
  }

  /** Sum of the series of this name that have these labels; undefined when there is none. */
  sum(name: string, labels: Record<string, string> = {}): number | undefined {
    const values = this.samples
      .filter((sample) => sample.name === name && Object.entries(labels).every(([k, v]) => sample.labels[k] === v))
      .map(({ value }) => value);
    return values.length === 0 ? undefined : values.reduce((a, b) => a + b);
  }

  /** Names of the labels of all series that start with `prefix`, except a histogram's bounds. */
  labelsOf(prefix: string): string[] {
    const labels = this.samples.filter(({ name }) => name.startsWith(prefix)).flatMap((s) => Object.keys(s.labels));
    return [...new Set(labels)].filter((label) => label !== 'le').sort();
  }
}

/** An address where nobody listens now. */
export async function freeAddress(): Promise<string> {
  return `127.0.0.1:${await freePort()}`;
}

/** What an agent serves there. */
export async function scrape(address: string): Promise<Scrape> {
  const answer = await fetch(`http://${address}/metrics`);
  return new Scrape(await answer.text());
}
