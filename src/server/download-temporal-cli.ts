/**
 * `node download-temporal-cli.js FOLDER VERSION`: downloads the Temporal CLI with the SDK's own downloader, which only
 * comes with starting a server, and which cannot be interrupted. So it is a program of its own, to be killed when slow.
 */
import { TestWorkflowEnvironment } from '@temporalio/testing';

const [downloadDir, version] = process.argv.slice(2) as [string, string];
try {
  const environment = await TestWorkflowEnvironment.createLocal({
    server: {
      executable: { type: 'cached-download', downloadDir, version },
      log: { format: 'pretty', level: 'never' },
    },
  });
  await environment.teardown();
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
