/**
 * onnxruntime sends usage data to its maker from 1.29 on, unless this is set before it starts. We send nothing; who
 * wants to may set it to 0. Import it first, on the main thread too: a worker thread's `process.env` is a copy.
 */
process.env['ORT_DISABLE_TELEMETRY'] ??= '1';
