import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** What onnxruntime's uploader leaves in the folder for temporary files when a process starts a session. */
function tracesOfUploader(): string[] {
  const folder = mkdtempSync(path.join(tmpdir(), 'no-telemetry-'));
  const open =
    "import('./dist/src/inference/session-thread.js').then(({ SessionThread }) => " +
    "SessionThread.open({ bytes: Uint8Array.of(1), weightsFolder: '.' }, { threads: 1, spinning: false })).catch(() => {})";
  try {
    const env: NodeJS.ProcessEnv = { ...process.env, TMPDIR: folder };
    delete env['ORT_DISABLE_TELEMETRY'];
    execFileSync(process.execPath, ['--eval', open], { env });
    return readdirSync(folder).filter((name) => name.startsWith('mat-debug'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe('no-telemetry', () => {
  it('keeps onnxruntime from starting its uploader', () => {
    assert.deepEqual(tracesOfUploader(), []);
  });
});
