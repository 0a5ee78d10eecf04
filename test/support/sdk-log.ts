import { DefaultLogger, type LogEntry, Runtime } from '@temporalio/worker';

/** What workers in this process logged. Import this file where a test runs workers: it keeps their log off the screen. */
export const sdkLogEntries: LogEntry[] = [];

Runtime.install({ logger: new DefaultLogger('INFO', (entry) => sdkLogEntries.push(entry)) });
