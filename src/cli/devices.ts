import { byteText } from '../io/figure-text.js';
import { TableCommand } from './options/table-command.js';
import { textTable } from './text-table.js';

/** `virnucpro devices`: what lanes can run on here. Also `utils list-devices`, the name that people know. */
export function devicesCommand(name = 'devices'): TableCommand {
  return new TableCommand(name, async () => (await import('./options/devices-table.js')).DEVICES_OPTIONS)
    .description('what lanes can run on here, each device tried, and why one is missing')
    .runs(async ({ json }) => {
      const { listHostDevices } = await import('../inference/host-devices.js');
      const devices = await listHostDevices();
      if (json) return console.log(JSON.stringify(devices, null, 2));
      const rows = devices.map(({ name, model, memoryBytes, precisions, provider, noFp16, missing }) => [
        name,
        model ?? '-',
        memoryBytes === undefined ? '-' : byteText(memoryBytes),
        precisions.length === 0 ? '-' : precisions.join(', '),
        provider === undefined
          ? `missing: ${missing}`
          : noFp16 === undefined
            ? provider
            : `${provider}; no fp16: ${noFp16}`,
      ]);
      console.log(textTable([['DEVICE', 'NAME', 'MEMORY', 'PRECISIONS', 'PROVIDER'], ...rows]));
      if (devices.some(({ missing }) => missing !== undefined)) console.log('docs/devices.md says what each needs.');
    });
}
