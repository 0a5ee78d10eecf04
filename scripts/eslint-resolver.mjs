// import-x asks where a specifier lives; our sources import './x.js' and mean './x.ts'.
import { existsSync } from 'node:fs';
import path from 'node:path';

export function resolve(source, file) {
  if (!source.startsWith('.')) return { found: false };
  const target = path.resolve(path.dirname(file), source.replace(/\.js$/, '.ts'));
  return existsSync(target) ? { found: true, path: target } : { found: false };
}
