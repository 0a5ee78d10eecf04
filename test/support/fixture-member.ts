/** A command that takes part in supervision: prints one JSON line an event, leaves at "close" on stdin. */
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { joinSupervision } from '../../src/server/supervisor.js';

const [stateDir, temporalCli, marks] = process.argv.slice(2) as [string, string, string];
const say = (event: object): boolean => process.stdout.write(JSON.stringify(event) + '\n');

process.on('SIGINT', () => say({ event: 'interrupted' }));
const startedAt = performance.now();
try {
  const supervision = await joinSupervision({
    stateDir,
    temporalCli,
    startAgent: () => ({
      command: process.execPath,
      args: [fileURLToPath(new URL('./fixture-agent.js', import.meta.url)), marks, 'polite'],
    }),
    log: pino({ level: 'silent' }),
    onStateChange: (state) => say({ event: 'state', ...state }),
  });
  say({
    event: 'joined',
    ms: Math.round(performance.now() - startedAt),
    address: supervision.address,
    isSupervisor: supervision.isSupervisor(),
  });
  process.stdin.once('data', () => {
    const asked = performance.now();
    void supervision.close().then(() => {
      say({ event: 'closed', ms: Math.round(performance.now() - asked) });
      process.stdin.destroy();
    });
  });
} catch (error) {
  say({ event: 'failed', name: (error as Error).name, message: (error as Error).message });
}
