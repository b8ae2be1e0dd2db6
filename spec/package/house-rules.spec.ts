import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

/** One run of ESLint for all cases: loading it takes longer than they do. */
function lint(cases: readonly (readonly [file: string, text: string])[]): (readonly string[])[] {
  const output = execFileSync(process.execPath, [join(__dirname, 'lint-text.mjs')], {
    encoding: 'utf8',
    input: JSON.stringify(cases.map(([file, text]) => ({ file, text }))),
  });
  return JSON.parse(output) as string[][];
}

const refused = [
  ['src/turn/a.ts', "import '../flow/timers.js';"],
  ['src/turn/a.ts', "import '../request/transport.js';"],
  ['src/turn/a.ts', "import '../options.js';"],
  ['src/flow/a.ts', "import '../prompt/prompt.js';"],
  ['src/prompt/a.ts', "import '../request/transport.js';"],
  ['src/prompt/a.ts', "import type { A } from '../provider/endpoint.js';"],
  ['src/provider/a.ts', "export * from '../request/transport.js';"],
  ['src/request/a.ts', "import '../response/idle-timeout.js';"],
  ['src/request/a.ts', "import '../options.js';"],
  ['src/response/a.ts', "import '../operators/aggregate.js';"],
  ['src/response/a.ts', "import '../stream-chat-completions.js';"],
  ['src/response/chunks/a.ts', "import '../../operators/aggregate.js';"],
  ['src/response/chunks/a.ts', "import '../../options.js';"],
  ['src/operators/a.ts', "import '../response/idle-timeout.js';"],
  ['src/operators/a.ts', "import '../request/transport.js';"],
  ['src/operators/a.ts', "import '../provider/model-provider.js';"],
  ['src/operators/a.ts', "import '../relay/to-server-sent-events.js';"],
  ['src/operators/a.ts', "import 'eventsource-parser';"],
  ['src/operators/a.ts', "import '../testing/index.js';"],
  ['src/compose/a.ts', "import '../request/transport.js';"],
  ['src/compose/a.ts', "import '../run/a.js';"],
  ['src/run/a.ts', "import '../response/idle-timeout.js';"],
  ['src/relay/a.ts', "import '../request/transport.js';"],
  ['src/relay/a.ts', "import '../response/chunks/tool-calls.js';"],
  ['src/options.ts', "import './testing/index.js';"],
  ['src/options.ts', "import './json/index.js';"],
  ['src/options.ts', "import 'node:http';"],
  ['src/testing/a.ts', "import 'node:http';"],
  ['src/testing/a.ts', "import '@opentelemetry/api';"],
  ['src/options.ts', "import '@opentelemetry/api';"],
  ['src/options.ts', "import './otel/index.js';"],
  ['src/turn/a.ts', "import '@opentelemetry/api';"],
  ['src/json/a.ts', "import 'zod';"],
  ['src/json/a.ts', "import 'node:fs';"],
  ['src/json/a.ts', 'export const a = async () => 1;'],
  ['src/options.ts', "import '@streamparser/json/tokenizer.js';"],
  ['src/operators/a.ts', "import '@streamparser/json';"],
  ['src/otel/a.ts', "import '@opentelemetry/sdk-trace-base';"],
  ['src/otel/a.ts', "import 'node:http';"],
  ['src/shared/a.ts', "import 'node:crypto';"],
  ['src/redis/a.ts', "import '@redis/client';"],
  ['src/options.ts', "import './shared/index.js';"],
  ['src/request/fetch-transport.ts', "import 'node:http';"],
  ['src/request/fallback-fetch.ts', "import 'cross-fetch';"],
  ['src/request/fetch-transport.ts', "export const a = import('cross-fetch');"],
  ['src/flow/a.ts', 'export const a = async () => 1;'],
  ['src/flow/pull.ts', "export const a = import('rxjs');"],
  ['src/prompt/a.ts', 'export const a = async () => 1;'],
  ['src/provider/a.ts', 'export const a = new Promise(() => {});'],
  ['src/response/a.ts', 'export const a = Promise.resolve();'],
  ['src/response/chunks/a.ts', 'export const a = Promise.resolve();'],
  ['src/operators/a.ts', 'export async function* a() {}'],
  ['src/relay/a.ts', 'export const a = async () => 1;'],
  ['src/response/a.ts', 'setTimeout(() => {}, 1);'],
  ['src/flow/a.ts', 'setTimeout(() => {}, 1);'],
  ['src/request/a.ts', 'export const a = Date.now();'],
  ['src/provider/a.ts', 'export const a = process.env;'],
] as const;

const allowed = [
  ['src/turn/a.ts', "import './wire.js';"],
  ['src/flow/a.ts', "import '../turn/errors.js'; import 'rxjs';"],
  ['src/flow/pull.ts', 'export const a = async () => 1;'],
  ['src/prompt/a.ts', "import '../turn/events.js'; import './prompt.js'; import 'rxjs';"],
  ['src/provider/a.ts', "import '../turn/errors.js'; import '../prompt/prompt.js';"],
  ['src/request/a.ts', "import '../provider/model-provider.js'; import '../flow/timers.js';"],
  ['src/response/a.ts', "import '../request/transport.js'; import 'eventsource-parser';"],
  ['src/response/a.ts', "import './chunks/tool-calls.js';"],
  [
    'src/response/chunks/a.ts',
    "import '../../turn/wire.js'; import '../idle-timeout.js'; import './reasoning.js';",
  ],
  [
    'src/operators/a.ts',
    "import '../prompt/prompt.js'; import '../turn/turn.js'; import '../flow/demand.js';",
  ],
  ['src/compose/a.ts', "import '../operators/aggregate.js';"],
  ['src/run/a.ts', "import '../compose/a.js';"],
  ['src/relay/a.ts', "import '../operators/aggregate.js'; import '../run/a.js';"],
  ['src/options.ts', "import './request/transport.js'; import './turn/diagnostics.js';"],
  ['src/testing/a.ts', "import '../request/transport.js'; import 'rxjs/testing';"],
  ['src/json/a.ts', "import '../operators/aggregate.js'; import '@streamparser/json/tokenizer.js';"],
  ['src/otel/a.ts', "import '../request/transport.js'; import '@opentelemetry/api';"],
  ['src/redis/a.ts', "import '../shared/index.js'; import '../flow/timers.js'; import 'rxjs';"],
  ['src/request/fetch-transport.ts', 'export const a = async () => 1;'],
  ['src/request/fallback-fetch.ts', "export const a = async () => import('cross-fetch');"],
  ['src/mock-provider/a.ts', "import 'node:http'; export const a = async () => process.env;"],
  ['src/cli/a.ts', "import 'node:http'; import '../index.js';"],
] as const;

describe('The rules of the house', () => {
  const messages = lint([...refused, ...allowed]);

  it.each(refused.map(([file, text], index) => ({ file, text, index })))(
    'refuse in $file: $text',
    ({ index }) => expect(messages[index]).toHaveLength(1),
  );

  it.each(allowed.map(([file, text], index) => ({ file, text, index: refused.length + index })))(
    'allow in $file: $text',
    ({ index }) => expect(messages[index]).toEqual([]),
  );
});
