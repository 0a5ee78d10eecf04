import { DefaultLogger, type LogEntry, MetricsBuffer, Runtime } from '@temporalio/worker';

/** What workers in this process logged. Import this file where a test runs workers: it keeps their log off the screen. */
export const sdkLogEntries: LogEntry[] = [];

/** What they counted. */
export const sdkMetrics = new MetricsBuffer();

Runtime.install({
  logger: new DefaultLogger('INFO', (entry) => sdkLogEntries.push(entry)),
  telemetryOptions: { metrics: { buffer: sdkMetrics } },
});
