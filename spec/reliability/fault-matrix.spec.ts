import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { concat, map, NEVER, Observable, skip, throwError } from 'rxjs';
import { fetchTransport, type HttpResponse, StreamError, UnexpectedStatusError } from '../../src/index.js';
import {
  type Case,
  cases,
  type Consumer,
  consumers,
  nameOf,
  run,
  type Subject,
  subjects,
} from './fault-matrix.js';
import { FaultMatrix, reportIn } from './fault-table.js';
import { taint } from './faults.js';
import { leaksOf } from './taint.js';

const matrix = new FaultMatrix();

jest.setTimeout(60_000);

/** The cases by what is wrong in them: one spec for all stages of a fault. */
const byFault = new Map<string, Case[]>();
for (const given of cases) {
  const name = 'fault' in given ? given.fault.name : given.wrong.name;
  byFault.set(name, [...(byFault.get(name) ?? []), given]);
}

describe.each(subjects)('over $name', (subject) => {
  it.each([...byFault])(
    'a turn ends once, keeps its secrets and leaves nothing behind: %s',
    async (_, givenCases) => {
      for (const given of givenCases) {
        for (const consumer of consumers) {
          const { violations } = await matrix.run(given, subject, consumer);
          expect([nameOf(given), consumer, ...violations]).toEqual([nameOf(given), consumer]);
        }
      }
    },
  );
});

it('the outcomes are those that the documentation gives', async () => {
  const document = readFileSync(join(__dirname, '../../docs/reliability.md'), 'utf8');
  expect(await matrix.report()).toBe(reportIn(document));
});

describe('the matrix notices a transport that', () => {
  const through = (change: (response: HttpResponse) => HttpResponse): Subject => ({
    name: 'defective',
    transport: () => (request) => fetchTransport()(request).pipe(map(change)),
  });
  const inBody = (change: (body: Observable<Uint8Array>) => Observable<Uint8Array>) =>
    through(({ status, headers, body }) => ({ status, headers, body: change(body) }));
  const caseOf = (name: string) => cases.find((given) => nameOf(given) === name)!;

  it.each<[string, Subject, string, Consumer, string]>([
    [
      'leaves a connection open',
      inBody(
        (body) =>
          new Observable((reader) => {
            body.subscribe({ next: (bytes) => reader.next(bytes), error: () => {} });
          }),
      ),
      'endless text, at first byte',
      'stays',
      'its connection hangs',
    ],
    [
      'never says that the answer is over',
      inBody((body) => concat(body, NEVER)),
      'clean end, at mid-event',
      'stays',
      'the turn hangs',
    ],
    [
      'loses bytes',
      inBody((body) => body.pipe(skip(1))),
      '429, then success',
      'stays',
      'other texts than those that had arrived',
    ],
    [
      'tells in its error what it sent',
      inBody(() => throwError(() => new Error(taint.prompt))),
      'slow, at headers',
      'stays',
      'the prompt in it.cause.message',
    ],
  ])('%s', async (_, subject, name, consumer, violation) => {
    const { violations } = await run(caseOf(name), subject, consumer, 500);
    expect(violations).toContain(violation);
  });
});

describe('the look for what was given away', () => {
  const { key, prompt, answer } = taint;

  it.each([
    ['a message', new Error(`x ${key}`), 'the key in it.message'],
    [
      'a cause of a cause',
      new Error('', { cause: new Error('', { cause: prompt }) }),
      'the prompt in it.cause.cause',
    ],
    ['bytes', Object.assign(new Error(''), { packet: Buffer.from(answer) }), 'the answer in it.packet'],
    ['a key in a property for the provider’s text', withBody(key), 'the key in it.body'],
    ['an enumerable property', Object.assign(new StreamError(), { body: answer }), 'the answer in inspect()'],
  ])('finds %s', (_, error, leak) => {
    expect(leaksOf(error, taint)).toContain(leak);
  });

  it('passes over the provider’s text where it belongs', () => {
    expect(leaksOf(withBody(answer), taint)).toEqual([]);
  });
});

function withBody(body: string): Error {
  return new UnexpectedStatusError({ status: 400, body });
}
