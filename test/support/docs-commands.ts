/** Commands of a page that a reader would type. */
export interface ShellBlock {
  page: string;
  /** Where it starts, from 1. */
  line: number;
  commands: string;
  /** Why no test runs it. */
  skip?: string;
}

const FENCE = /^( *)```sh(?: (\S+))?\n(.*?)^\1```$/gms;

/**
 * The blocks of a Markdown page that are fenced as `sh`. One that no test can run says why in its info string:
 * `sh no-test=needs-a-cluster`.
 * @throws Error for any other info string.
 */
export function shellBlocks(page: string, text: string): ShellBlock[] {
  return [...text.matchAll(FENCE)].map(({ 1: indent, 2: info, 3: body, index }) => {
    const line = text.slice(0, index).split('\n').length;
    const reason = /^no-test=(.+)$/.exec(info ?? '')?.[1]?.replaceAll('-', ' ');
    if (info !== undefined && reason === undefined) throw new Error(`${page}:${line}: "${info}" means nothing here`);
    const commands = body!.replaceAll(new RegExp(`^${indent}`, 'gm'), '');
    return { page, line, commands, ...(reason === undefined ? {} : { skip: reason }) };
  });
}
