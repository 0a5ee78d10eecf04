/**
 * Known vulnerabilities of what is installed with the package, as the registry tells: fails from level high on. A registry
 * that has no such service is no failure; the reason is said.
 */
import { spawnSync } from 'node:child_process';

const { stdout, stderr } = spawnSync('npm', ['audit', '--json', '--omit=dev', '--package-lock-only'], {
  encoding: 'utf8',
  timeout: 60_000,
});
const answer = parsed(stdout);
const counts = answer.metadata?.vulnerabilities;
if (counts === undefined) {
  const [reason] = (answer.message ?? answer.error?.summary ?? stderr).trim().split('\n');
  console.log(`npm audit skipped: the registry does not answer it (${reason || 'no answer'})`);
} else {
  for (const { name, severity, range } of Object.values(answer.vulnerabilities))
    console.log(`${severity}: ${name} ${range}`);
  console.log(
    `npm audit: ${counts.critical} critical, ${counts.high} high, ${counts.moderate} moderate, ${counts.low} low`,
  );
  if (counts.critical + counts.high > 0) process.exitCode = 1;
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}
