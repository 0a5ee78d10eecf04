import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** Takes a port as soon as it is free and keeps it for `ms`: whoever owns it cannot come back before. */
export async function holdPort(port: number, ms: number): Promise<void> {
  for (let deadline = Date.now() + 5_000; ;) {
    const holder = createServer((socket) => socket.destroy());
    try {
      await once(holder.listen({ port, host: '127.0.0.1' }), 'listening');
      await sleep(ms);
      await once(holder.close(), 'close');
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await sleep(2);
    }
  }
}
