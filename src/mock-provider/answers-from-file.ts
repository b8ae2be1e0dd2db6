import { readFile } from 'node:fs/promises';
import { isRecord, own } from '../turn/wire.js';
import type { MockAnswer } from './mock-answer.js';
import type { MockRequest } from './mock-request.js';

/**
 * Reads the answers for `startMockProvider` from a file.
 *
 * - JSON (`.json`): a {@link MockAnswer}, or an array of them, used in turn and repeated from the start. Write
 *   `1e999` for `Infinity`. An object that is itself a provider's response (it has an `object`, such as
 *   `chat.completion`) is sent unchanged.
 * - Anything else: a recorded event stream, sent byte for byte, one write per event.
 *
 * @example
 * ```ts
 * const mock = await startMockProvider({ answers: await answersFromFile('spec/fixtures/weather.sse') });
 * ```
 *
 * @returns a promise that rejects if the file cannot be read, or its JSON has another shape
 */
export async function answersFromFile(file: string): Promise<(request: MockRequest) => MockAnswer> {
  const bytes = await readRecording(file);
  const answers = file.endsWith('.json') ? readScript(file, bytes) : [{ body: eventsOf(bytes) }];
  let given = 0;
  return () => {
    const answer = answers[given % answers.length] ?? {};
    given += 1;
    return answer;
  };
}

/** @returns a promise that rejects with a sentence that names the file */
export async function readRecording(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new Error(`Could not read the file ${file}${code === undefined ? '' : ` (${code})`}.`);
  }
}

/** A recording cut after its blank lines, every byte kept. */
export function eventsOf(recording: Uint8Array): readonly Uint8Array[] {
  // In Latin-1 each character is one byte.
  const text = Buffer.from(recording).toString('latin1');
  const events: Uint8Array[] = [];
  let start = 0;
  const take = (end: number) => {
    if (end > start) events.push(Buffer.from(text.slice(start, end), 'latin1'));
    start = end;
  };
  for (const { index, 0: blank } of text.matchAll(/(?:\r\n|\n|\r(?!\n)){2,}/g))
    if (index > 0) take(index + blank.length);
  take(text.length);
  return events;
}

function readScript(file: string, bytes: Buffer): readonly MockAnswer[] {
  let script: unknown;
  try {
    script = JSON.parse(bytes.toString('utf8'));
  } catch {
    throw new Error(`The file ${file} is not JSON.`);
  }
  const answers: readonly unknown[] = Array.isArray(script) ? script : [script];
  return answers.map((answer) => {
    if (!isRecord(answer)) throw new Error(`The file ${file} contains an answer that is not an object.`);
    if (typeof own(answer, 'object') === 'string') return { json: answer };
    const unknownKey = Object.keys(answer).find((key) => !Object.hasOwn(answerKeys, key));
    if (unknownKey !== undefined)
      throw new Error(`The file ${file} has an answer with an unknown property "${unknownKey}".`);
    return answer;
  });
}

/** Without this check, a typo in a script would give the default answer. */
const answerKeys: Readonly<Record<keyof MockAnswer, true>> = {
  status: true,
  headers: true,
  retryAfter: true,
  delay: true,
  pace: true,
  content: true,
  finishReason: true,
  choices: true,
  usage: true,
  done: true,
  body: true,
  json: true,
  error: true,
  encoding: true,
  endDelay: true,
  contentLength: true,
  cut: true,
  noAnswer: true,
  wire: true,
};
