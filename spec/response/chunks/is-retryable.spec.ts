import { type Observable, of } from 'rxjs';
import { decodeChatCompletions } from '../../../src/response/decode-chat-completions.js';
import { decodeEventStream } from '../../../src/response/decode-event-stream.js';
import { failureOf } from '../../support/marbles.js';

const bytes = (text: string): Observable<Uint8Array> => of(new TextEncoder().encode(text));

/** What a stream fails with in which the provider reports this. */
const reported = (report: unknown): unknown =>
  failureOf(bytes(`data: ${JSON.stringify(report)}\n\n`).pipe(decodeEventStream(), decodeChatCompletions()));

describe('Whether asking again may help after an error inside a stream', () => {
  it.each([
    ['an overload', { error: { type: 'overloaded_error', message: 'Overloaded' } }],
    ['an overload by its status', { error: { message: 'Try later', code: 529 } }],
    [
      'a rate limit',
      { error: { message: 'Rate limit reached', type: 'requests', code: 'rate_limit_exceeded' } },
    ],
    ['a rate limit by its status', { error: { code: 429, message: 'Provider returned error' } }],
    ['an exhausted resource', { error: { code: 429, status: 'RESOURCE_EXHAUSTED', message: 'Exhausted' } }],
    ['a failure of the server', { error: { type: 'server_error', message: 'The server had an error.' } }],
    ['a failure of the server by its status', { error: { code: 502, message: 'Bad gateway' } }],
    ['a finish reason that means a failure', { choices: [{ delta: {}, finish_reason: 'error' }] }],
    ['resources that ran out', { choices: [{ delta: {}, finish_reason: 'insufficient_system_resource' }] }],
    ['a timeout', { error: { message: 'Request timed out' } }],
    ['one that says nothing', { error: {} }],
    ['an error in words that say nothing', { error: 'something broke' }],
    // Words of a model that is unavailable may speak of anything.
    [
      'an unavailable model',
      { error: { code: 503, type: 'service_unavailable', message: 'not found: a worker' } },
    ],
  ])('it may after %s', (_, report) => {
    expect(reported(report)).toMatchObject({ name: 'ProviderStreamError', retryable: true });
  });

  it.each([
    ['a prompt that is too long', { error: { code: 'context_length_exceeded', message: 'Too long' } }],
    [
      'one that words call too long',
      { error: { message: "This model's maximum context length is 8192 tokens." } },
    ],
    [
      'one that words call too long, with a status of the server',
      { error: { code: 500, message: 'the prompt is too long' } },
    ],
    [
      'a spent quota',
      { error: { type: 'insufficient_quota', code: 'insufficient_quota', message: 'Check your plan.' } },
    ],
    [
      'a spent quota of the day',
      { error: { code: 429, message: 'Quota exceeded: GenerateRequestsPerDayPerProject' } },
    ],
    ['an unpaid bill', { error: { code: 402, message: 'Insufficient credits' } }],
    ['a content filter', { error: { code: 'content_filter', message: 'The response was filtered' } }],
    ['a policy', { error: { code: 'content_policy_violation', message: 'No.' } }],
    ['an invalid request', { error: { type: 'invalid_request_error', message: 'Unknown parameter' } }],
    ['an invalid request by its status', { error: { code: 400, message: 'No.' } }],
    ['a refused key', { error: { code: 'invalid_api_key', message: 'Incorrect API key provided' } }],
    ['a refused key by its status', { error: { code: 401, message: 'No.' } }],
    ['a refused key by its words', { error: { message: 'Invalid API key' } }],
    ['a model that is not there', { error: { type: 'not_found_error', message: 'No such model' } }],
    ['a lack of permission', { error: { type: 'permission_error', message: 'No.' } }],
  ])('it cannot after %s', (_, report) => {
    expect(reported(report)).toMatchObject({
      name: 'ProviderStreamError',
      retryable: false,
      retryAfter: undefined,
    });
  });

  it.each([
    [
      'in a field',
      { error: { code: 429, details: [{ '@type': 'RetryInfo', retryDelay: '7s' }], message: 'Slow.' } },
      7_000,
    ],
    ['in words', { error: { code: 'rate_limit_exceeded', message: 'Please try again in 1.2s.' } }, 1_200],
    ['nowhere', { error: { code: 'rate_limit_exceeded', message: 'Slow down.' } }, undefined],
  ])('tells the wait that stands %s', (_, report, retryAfter) => {
    expect(reported(report)).toMatchObject({ retryable: true, retryAfter });
  });

  it('tells no wait where waiting does not help', () => {
    const report = { error: { code: 'insufficient_quota', message: 'Please try again in 20s.' } };
    expect(reported(report)).toMatchObject({ retryable: false, retryAfter: undefined });
  });
});
