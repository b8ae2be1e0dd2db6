import { type Diagnostic, diagnose } from '../../src/turn/diagnostics.js';
import { IdleTimeoutError, StreamError, TransportError } from '../../src/turn/errors.js';
import { toHeaders } from '../../src/testing/answer.js';

function recorded(use: (log: ReturnType<typeof diagnose>) => void): readonly Diagnostic[] {
  const diagnostics: Diagnostic[] = [];
  use(diagnose((diagnostic) => diagnostics.push(diagnostic)));
  return diagnostics;
}

const request = { url: 'https://api.example/v1/chat/completions', body: '{"model":"m"}' };
const response = { status: 200, headers: toHeaders({}) };

describe('diagnose', () => {
  it('tells what happens, in order, with the number of the attempt', () => {
    const error = new TransportError();
    const told = recorded((log) => {
      log.request(1, request);
      log.retry({ delay: 200, error });
      log.request(2, request);
      log.response(response);
      log.malformed({ length: 3, position: 1 });
      log.nameless({ length: 2 });
      log.events(2);
      log.comment();
      log.events(3);
      log.broken(new StreamError());
      log.broken('no Error at all');
      log.end('completed');
    });
    expect(told).toEqual([
      { type: 'request', turn: 1, attempt: 1, url: request.url, bodyLength: 13 },
      { type: 'retry', turn: 1, attempt: 1, delay: 200, error },
      { type: 'request', turn: 1, attempt: 2, url: request.url, bodyLength: 13 },
      { type: 'response', turn: 1, attempt: 2, status: 200, requestId: undefined, rateLimits: {} },
      { type: 'malformed', turn: 1, attempt: 2, length: 3, position: 1 },
      { type: 'nameless-call', turn: 1, attempt: 2, length: 2 },
      { type: 'break', turn: 1, attempt: 2, error: 'StreamError' },
      { type: 'break', turn: 1, attempt: 2, error: 'Error' },
      {
        type: 'end',
        turn: 1,
        attempt: 2,
        outcome: 'completed',
        error: undefined,
        events: 5,
        comments: 1,
        malformed: 1,
      },
    ]);
  });

  it.each([
    ['error', new IdleTimeoutError(1), 'IdleTimeoutError'],
    ['error', new RangeError('of the caller'), 'RangeError'],
    ['error', 'no Error at all', undefined],
    ['unsubscribed', undefined, undefined],
  ] as const)('ends with %s and the name of %p', (outcome, error, name) => {
    const [end] = recorded((log) => log.end(outcome, error));
    expect(end).toEqual({
      type: 'end',
      turn: 1,
      attempt: 0,
      outcome,
      error: name,
      events: 0,
      comments: 0,
      malformed: 0,
    });
  });

  it('tells no query of a URL, where a key may stand, and no body', () => {
    const told = recorded((log) =>
      log.request(1, { url: `${request.url}?key=sk-secret&v=2?x`, body: 'private' }),
    );
    expect(told).toEqual([{ type: 'request', turn: 1, attempt: 1, url: request.url, bodyLength: 7 }]);
  });

  it('tells the request id and the rate limits of an answer, and no other header', () => {
    const headers = toHeaders({
      'X-Request-Id': 'req_1',
      'Retry-After': '2',
      'retry-after-ms': '1500',
      'X-RateLimit-Remaining-Requests': '0',
      'x-ratelimit-reset-tokens': '6s',
      'Set-Cookie': 'sid=private',
    });
    const [told] = recorded((log) => log.response({ status: 429, headers }));
    expect(told).toEqual({
      type: 'response',
      turn: 1,
      attempt: 0,
      status: 429,
      requestId: 'req_1',
      rateLimits: {
        'retry-after': '2',
        'retry-after-ms': '1500',
        'x-ratelimit-remaining-requests': '0',
        'x-ratelimit-reset-tokens': '6s',
      },
    });
  });

  it('tells a name that is one, and 64 characters of a header', () => {
    const prose = Object.assign(new Error('x'), { name: 'the private words' });
    expect(recorded((log) => log.end('error', prose))).toMatchObject([{ error: 'object' }]);
    const headers = toHeaders({ 'retry-after': '1'.repeat(65) });
    expect(recorded((log) => log.response({ status: 429, headers }))).toMatchObject([
      { rateLimits: { 'retry-after': '1'.repeat(64) } },
    ]);
  });

  it('takes the secrets out of the path of a URL', () => {
    const told = recorded((log) =>
      log.request(1, { url: 'https://a.test/secret/v1?b', body: '' }, (text) =>
        text.replace('secret', '***'),
      ),
    );
    expect(told).toMatchObject([{ url: 'https://a.test/***/v1' }]);
  });

  it('numbers the turns of each listener by itself, and tells the attempts of each turn', () => {
    const numbers: string[] = [];
    const one = ({ turn, attempt }: Diagnostic) => numbers.push(`one ${turn}.${attempt}`);
    const other = ({ turn, attempt }: Diagnostic) => numbers.push(`other ${turn}.${attempt}`);
    const first = diagnose(one);
    const second = diagnose(one);
    second.request(1, request);
    first.request(1, request);
    first.request(2, request);
    diagnose(other).request(1, request);
    expect(numbers).toEqual(['one 2.1', 'one 1.1', 'one 1.2', 'other 1.1']);
  });

  it('drops what a listener throws, and goes on telling it', () => {
    const types: string[] = [];
    const log = diagnose(({ type }) => {
      types.push(type);
      throw new Error('the listener is broken');
    });
    log.request(1, request);
    log.response(response);
    log.retry({ delay: 0, error: new TransportError() });
    log.malformed({ length: 0, position: 0 });
    log.end('completed');
    expect(types).toEqual(['request', 'response', 'retry', 'malformed', 'end']);
  });
});
