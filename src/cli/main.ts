#!/usr/bin/env node
import { createProgram } from './program.js';
import { runCli } from './run.js';

// Of a dependency, about its later versions: nothing that a user of this one should act on. Lane processes inherit it.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';

await runCli(createProgram());
