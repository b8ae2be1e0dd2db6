import { readFile } from 'node:fs/promises';
import { isRecord, own } from '../turn/wire.js';
import type { MockAnswer } from './mock-answer.js';
import type { MockRequest } from './mock-request.js';

/**
 * The script in a file, for `startMockProvider`.
 *
 * - JSON (`.json`): a {@link MockAnswer}, or an array of them that are given in turn and then from the
 *   beginning again. `1e999` stands for `Infinity`. An object that is itself an answer of a provider
 *   (it has an `object`, as `chat.completion`) is sent as it is.
 * - Anything else: a recorded event stream, sent byte for byte, a write for each event.
 *
 * @example
 * ```ts
 * const mock = await startMockProvider({ answers: await answersFromFile('spec/fixtures/weather.sse') });
 * ```
 *
 * @returns a promise that rejects where the file cannot be read, or is JSON but no script
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
    throw new Error(`The file ${file} cannot be read${code === undefined ? '' : ` (${code})`}.`);
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
    if (!isRecord(answer)) throw new Error(`The file ${file} holds an answer that is no object.`);
    if (typeof own(answer, 'object') === 'string') return { json: answer };
    const unknownKey = Object.keys(answer).find((key) => !Object.hasOwn(answerKeys, key));
    if (unknownKey !== undefined)
      throw new Error(`The file ${file} holds an answer with "${unknownKey}", which is no part of one.`);
    return answer;
  });
}

/** A typing error in a script would otherwise be the default answer. */
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
