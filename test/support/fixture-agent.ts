/** `fixture-agent FILE polite|stubborn`: marks its life in FILE, ends with its parent; stubborn, not by SIGTERM. */
import { appendFileSync } from 'node:fs';
import { parentGone } from '../../src/server/managed-child.js';

const [marks, manners] = process.argv.slice(2) as [string, string];
setInterval(() => {}, 1000);
void parentGone().then(() => process.exit(70));
process.on('SIGTERM', () => {
  if (manners === 'stubborn') return;
  appendFileSync(marks, `stopped ${process.pid}\n`);
  process.exit(0);
});
appendFileSync(marks, `started ${process.pid}\n`);
