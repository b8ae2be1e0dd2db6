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
  ['src/prompt/a.ts', "import '../request/transport.js';"],
  ['src/prompt/a.ts', "import type { A } from '../provider/endpoint.js';"],
  ['src/provider/a.ts', "export * from '../request/transport.js';"],
  ['src/request/a.ts', "import '../response/idle-timeout.js';"],
  ['src/request/a.ts', "import '../options.js';"],
  ['src/response/a.ts', "import '../operators/aggregate.js';"],
  ['src/response/a.ts', "import '../stream-chat-completions.js';"],
  ['src/operators/a.ts', "import '../response/idle-timeout.js';"],
  ['src/operators/a.ts', "import '../request/transport.js';"],
  ['src/operators/a.ts', "import '../provider/model-provider.js';"],
  ['src/operators/a.ts', "import 'eventsource-parser';"],
  ['src/operators/pull.ts', "export const a = import('rxjs');"],
  ['src/operators/a.ts', "import '../testing/index.js';"],
  ['src/errors.ts', "import './request/transport.js';"],
  ['src/wire.ts', "import './options.js';"],
  ['src/options.ts', "import './testing/index.js';"],
  ['src/options.ts', "import 'node:http';"],
  ['src/testing/a.ts', "import 'node:http';"],
  ['src/request/fetch-transport.ts', "import 'node:http';"],
  ['src/request/fetch-transport.ts', "import 'cross-fetch';"],
  ['src/request/a.ts', "export const a = import('cross-fetch');"],
  ['src/prompt/a.ts', 'export const a = async () => 1;'],
  ['src/provider/a.ts', 'export const a = new Promise(() => {});'],
  ['src/response/a.ts', 'export const a = Promise.resolve();'],
  ['src/operators/a.ts', 'export async function* a() {}'],
  ['src/response/a.ts', 'setTimeout(() => {}, 1);'],
  ['src/request/a.ts', 'export const a = Date.now();'],
  ['src/provider/a.ts', 'export const a = process.env;'],
] as const;

const allowed = [
  ['src/prompt/a.ts', "import '../events.js'; import './prompt.js'; import 'rxjs';"],
  ['src/provider/a.ts', "import '../errors.js'; import '../prompt/prompt.js';"],
  ['src/request/a.ts', "import '../provider/model-provider.js'; import '../timers.js';"],
  ['src/response/a.ts', "import '../request/transport.js'; import 'eventsource-parser';"],
  ['src/operators/a.ts', "import '../prompt/prompt.js'; import '../turn.js';"],
  ['src/operators/a.ts', "import '../demand.js';"],
  ['src/operators/pull.ts', 'export const a = async () => 1;'],
  ['src/errors.ts', "import './wire.js';"],
  ['src/options.ts', "import './request/transport.js'; import './diagnostics.js';"],
  ['src/testing/a.ts', "import '../request/transport.js'; import 'rxjs/testing';"],
  ['src/request/fetch-transport.ts', "export const a = async () => import('cross-fetch');"],
  ['src/mock-provider/a.ts', "import 'node:http'; export const a = async () => process.env;"],
  ['src/cli.ts', "import 'node:http'; import './index.js';"],
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
