import { inspect } from 'node:util';
import {
  ApplicationError,
  ChatCompletionsError,
  IdleTimeoutError,
  InvalidProviderError,
  InvalidRequestError,
  MissingApiKeyError,
  platformCode,
  ProviderStreamError,
  ResponseTimeoutError,
  RetryLimitError,
  StallTimeoutError,
  StreamError,
  TransportError,
  UnexpectedContentError,
  UnexpectedStatusError,
  withProvider,
} from '../../src/turn/errors.js';
import { IncompleteStreamError } from '../../src/operators/require-finish.js';
import { emptyTurn } from '../../src/turn/turn.js';
import { attempts } from '../support/attempts.js';

const secret = 'what the provider said';
const details = { status: 503, code: 'overloaded', requestId: 'req_1', retryAfter: 2_000, body: secret };

type ErrorClass = abstract new (...args: never) => Error;

interface Sample {
  readonly error: ChatCompletionsError;
  readonly of: readonly ErrorClass[];
  /** What a caller branches on: the own, enumerable properties. */
  readonly told: object;
  /** The property that a logger must not show. */
  readonly hidden?: string;
}

const samples: Record<string, Sample> = {
  UnexpectedStatusError: {
    error: new UnexpectedStatusError({ ...details, retryable: true }),
    of: [UnexpectedStatusError],
    told: { status: 503, code: 'overloaded', requestId: 'req_1', retryAfter: 2_000, retryable: true },
    hidden: 'body',
  },
  RetryLimitError: {
    error: new RetryLimitError(details, attempts(5)),
    of: [RetryLimitError],
    told: { status: 503, code: 'overloaded', requestId: 'req_1', retryAfter: 2_000 },
    hidden: 'body',
  },
  TransportError: { error: new TransportError(), of: [TransportError], told: { retryable: true } },
  ResponseTimeoutError: {
    error: new ResponseTimeoutError(20),
    of: [ResponseTimeoutError],
    told: { timeout: 20 },
  },
  StreamError: { error: new StreamError(), of: [StreamError], told: { retryable: true } },
  IdleTimeoutError: {
    error: new IdleTimeoutError(30),
    of: [IdleTimeoutError, StreamError],
    told: { timeout: 30, retryable: true },
  },
  StallTimeoutError: {
    error: new StallTimeoutError(40),
    of: [StallTimeoutError],
    told: { timeout: 40 },
  },
  ProviderStreamError: {
    error: new ProviderStreamError({
      code: 'c',
      type: 't',
      status: 503,
      message: secret,
      retryable: false,
      retryAfter: 20,
    }),
    of: [ProviderStreamError, StreamError],
    told: { code: 'c', errorType: 't', status: 503, retryable: false, retryAfter: 20 },
    hidden: 'providerMessage',
  },
  UnexpectedContentError: {
    error: new UnexpectedContentError({ status: 503, contentType: 'text/html', snippet: secret }),
    of: [UnexpectedContentError],
    told: { status: 503, contentType: 'text/html' },
    hidden: 'snippet',
  },
  MissingApiKeyError: {
    error: new MissingApiKeyError('openai', 'OPENAI_API_KEY', 'Keys are made here.'),
    of: [MissingApiKeyError],
    told: { envKey: 'OPENAI_API_KEY', instructions: 'Keys are made here.' },
  },
  InvalidProviderError: {
    error: new InvalidProviderError('openai', 'apiKey', 'it is broken'),
    of: [InvalidProviderError],
    told: { setting: 'apiKey' },
  },
  InvalidRequestError: {
    error: new InvalidRequestError({ part: 'messages', reason: new RangeError(secret) }),
    of: [InvalidRequestError],
    told: { part: 'messages' },
  },
  IncompleteStreamError: {
    error: new IncompleteStreamError({ ...emptyTurn, text: secret }),
    of: [IncompleteStreamError],
    told: { retryable: true },
    hidden: 'turn',
  },
  ApplicationError: {
    error: new ApplicationError(new RangeError('out')),
    of: [ApplicationError],
    told: {},
  },
};

const classes: readonly ErrorClass[] = [...new Set(Object.values(samples).flatMap((sample) => sample.of))];

describe.each(Object.entries(samples))('%s', (name, { error, of, told, hidden }) => {
  it('is named as its class', () => {
    expect(error.name).toBe(name);
    expect(error.constructor.name).toBe(name);
    expect(String(error)).toBe(`${name}: ${error.message}`);
    expect(error.stack?.startsWith(`${name}: ${error.message}\n`)).toBe(true);
  });

  it('is an Error of the library, of its own classes, and of no other', () => {
    expect(error).toBeInstanceOf(Error);
    expect(error).toBeInstanceOf(ChatCompletionsError);
    expect(classes.filter((type) => error instanceof type)).toEqual(
      classes.filter((type) => of.includes(type)),
    );
  });

  it('tells what a caller branches on', () => {
    expect(Object.fromEntries(Object.entries(error))).toEqual(told);
    expect(JSON.parse(JSON.stringify(error))).toEqual(told);
  });

  it('says its status where it has one', () => {
    const { status } = told as { status?: number };
    expect(error.message.includes('status 503')).toBe(status !== undefined);
  });

  it('shows what the provider said to nobody who does not ask', () => {
    const shown = [error.message, error.stack, JSON.stringify(error), inspect(error, { depth: Infinity })];
    expect(shown.join('\n')).not.toContain(secret);
    if (hidden === undefined) return;
    expect(Object.keys(error)).not.toContain(hidden);
    expect(inspect(Reflect.get(error, hidden))).toContain(secret);
  });
});

describe('withProvider', () => {
  const cause = Object.assign(new Error('no'), { code: 'ENOTFOUND' });
  const who = '"ollama" at http://localhost:11434';

  it('names the provider, also in the stack', () => {
    const error = new TransportError({ cause });
    const message = `Could not reach ${who} (ENOTFOUND). Check the host name and the network.`;
    expect(withProvider(error, who)).toBe(error);
    expect(error.message).toBe(message);
    expect(error.stack).toContain(`TransportError: ${message}\n`);
  });

  it('says that there was no response where the platform does not say more', () => {
    expect(withProvider(new TransportError(), who).message).toBe(
      `No response from ${who}. Check the base URL and the network.`,
    );
  });

  it('leaves other messages, other errors and frozen errors alone', () => {
    expect(withProvider(new TransportError({ message: 'No.', cause }), who).message).toBe('No.');
    expect(withProvider(new StreamError(), who).message).toBe('The event stream broke off.');
    const frozen = Object.freeze(new TransportError());
    expect(withProvider(frozen, who).message).toBe(new TransportError().message);
  });
});

describe('the message of an error', () => {
  it.each<[ChatCompletionsError, string]>([
    [
      new UnexpectedStatusError({ status: 401, code: 'invalid_api_key' }),
      'The provider returned status 401 (invalid_api_key). Check the API key.',
    ],
    [new UnexpectedStatusError({ status: 418 }), 'The provider returned status 418.'],
    [
      new RetryLimitError({ status: 429, retryAfter: 90_000 }, attempts(1)),
      'The provider returned status 429 after 1 attempt. Retry after 90 s.',
    ],
    [
      new RetryLimitError({ status: 429, retryAfter: 600_000 }, attempts(1), 60_000),
      'The provider returned status 429 after 1 attempt. ' +
        'Retry-After is 10 min, longer than the limit of 60 s (retry.maxRetryAfter).',
    ],
    [
      new RetryLimitError({ status: 429, retryAfter: Infinity }, attempts(1), 500),
      'The provider returned status 429 after 1 attempt. ' +
        'Retry-After is infinite, longer than the limit of 500 ms (retry.maxRetryAfter).',
    ],
    [
      new RetryLimitError({ status: 503, code: 'overloaded' }, attempts(5)),
      'The provider returned status 503 (overloaded) after 5 attempts.',
    ],
    [
      new TransportError({ cause: new Error('x', { cause: { code: 'ECONNREFUSED' } }) }),
      'Could not reach the provider (ECONNREFUSED). Is it running?',
    ],
    [new TransportError({ message: 'Redirects are refused.' }), 'Redirects are refused.'],
    [new ResponseTimeoutError(20), 'No response headers arrived within 20 ms.'],
    [new StreamError({ cause: { code: 'ECONNRESET' } }), 'The event stream broke off (ECONNRESET).'],
    [new IdleTimeoutError(30), 'idle timeout waiting for SSE'],
    [
      new ProviderStreamError({ code: '503', status: 503 }),
      'The provider reported an error inside the stream (status 503).',
    ],
    [
      new ProviderStreamError({ code: 'overloaded', status: 503 }),
      'The provider reported an error inside the stream (status 503, code overloaded).',
    ],
    [new ProviderStreamError({}), 'The provider reported an error inside the stream.'],
    [
      new UnexpectedContentError({ status: 200, contentType: '', snippet: '' }),
      'The provider returned status 200 with no content type instead of an event stream. ' +
        'Check the base URL.',
    ],
    [
      new MissingApiKeyError('openai', 'OPENAI_API_KEY', 'Keys are made here.'),
      'The provider "openai" needs an API key: set the environment variable OPENAI_API_KEY, or the provider\'s apiKey. ' +
        'Keys are made here.',
    ],
    [new MissingApiKeyError('mine'), 'The apiKey function of the provider "mine" returned no key.'],
    [
      new InvalidRequestError({ part: 'tools', reason: new TypeError(secret) }),
      'The request cannot be serialised as JSON (TypeError). Check tools.',
    ],
    [new InvalidRequestError({ part: secret }), 'The request cannot be serialised as JSON.'],
    [
      new MissingApiKeyError('mine', undefined, undefined, 500),
      'The apiKey function of the provider "mine" returned no key within 500 ms.',
    ],
    [
      new InvalidProviderError('mine', 'baseUrl', 'it is no URL'),
      'The baseUrl of the provider "mine" is invalid: it is no URL.',
    ],
    [new ApplicationError(new RangeError(secret)), 'An application error ended the turn (RangeError).'],
  ])('%s', (error, message) => {
    expect(error.message).toBe(message);
  });
});

describe('the advice of an UnexpectedStatusError', () => {
  it.each([
    [400, 'Check the model and the parameters.'],
    [401, 'Check the API key.'],
    [402, 'Check the account balance.'],
    [403, 'The API key has no access to this model or endpoint.'],
    [404, 'Check the base URL and the model.'],
    [413, 'The prompt is too long.'],
    [422, 'Check the model and the parameters.'],
    [429, 'Check the rate limits and the quota.'],
  ])('with %i is: %s', (status, advice) => {
    const { message } = new UnexpectedStatusError({ status });
    expect(message).toBe(`The provider returned status ${status}. ${advice}`);
  });
});

describe('the message of an ApplicationError', () => {
  class VaultError {
    readonly message = secret;
  }
  const named = (name: unknown) => Object.assign(new Error(secret), { name });

  it.each<[string, unknown, string]>([
    ['the name of an error', named('VaultError'), 'VaultError'],
    ['no name that is prose', named(secret), 'object'],
    ['no name that is none', named(7), 'object'],
    [
      'no name that throws',
      Object.defineProperty(new Error(secret), 'name', {
        get: () => {
          throw new Error(secret);
        },
      }),
      'object',
    ],
    ['the class of anything else', new VaultError(), 'VaultError'],
    ['String for a text', secret, 'String'],
    ['object where there is no class', Object.create(null), 'object'],
    ['object for null', null, 'object'],
    ['undefined for nothing', undefined, 'undefined'],
  ])('says of its cause %s', (_, cause, name) => {
    const error = new ApplicationError(cause);
    expect(error.message).toBe(`An application error ended the turn (${name}).`);
    expect(error.cause).toBe(cause);
  });
});

describe('the parts of an error', () => {
  it('hold the cause where one is given, and no cause otherwise', () => {
    const cause = new Error('reset');
    for (const error of [
      new TransportError({ cause }),
      new StreamError({ cause }),
      new ResponseTimeoutError(1, cause),
      new IdleTimeoutError(1, cause),
    ]) {
      expect(error.cause).toBe(cause);
    }
    expect(new TransportError()).not.toHaveProperty('cause');
    expect(new StreamError()).not.toHaveProperty('cause');
  });

  it('have their defaults', () => {
    expect(new UnexpectedStatusError({ status: 400 })).toMatchObject({ retryable: false, body: '' });
    expect(new RetryLimitError({ status: 503 }, attempts(5)).body).toBe('');
    expect(new TransportError({ retryable: false }).retryable).toBe(false);
  });

  it('hold 200 characters of an unexpected content at most', () => {
    const error = new UnexpectedContentError({ status: 200, contentType: '', snippet: 'x'.repeat(201) });
    expect(error.snippet).toBe('x'.repeat(200));
  });
});

describe('platformCode', () => {
  const nested = (depth: number): object => (depth === 0 ? { code: 'EPIPE' } : { cause: nested(depth - 1) });
  const circle: { cause?: unknown } = {};
  circle.cause = circle;

  it.each<[string, unknown, string | undefined]>([
    ['its own', { code: 'ECONNRESET' }, 'ECONNRESET'],
    ['the outermost', { code: 'EPIPE', cause: { code: 'ECONNRESET' } }, 'EPIPE'],
    ['that of its cause', new Error('x', { cause: { code: 'UND_ERR_SOCKET' } }), 'UND_ERR_SOCKET'],
    ['that of its fourth cause', nested(4), 'EPIPE'],
    ['none of a fifth', nested(5), undefined],
    ['none that is prose', { code: 'sk-secret was refused' }, undefined],
    ['none that is a number', { code: 20 }, undefined],
    ['none in a circle', circle, undefined],
    [
      'the one behind a getter that throws',
      {
        get code() {
          throw new Error('x');
        },
        cause: { code: 'EPIPE' },
      },
      'EPIPE',
    ],
    ['none of a string', 'ECONNRESET', undefined],
    ['none of null', null, undefined],
    ['none of nothing', undefined, undefined],
  ])('of an error is %s', (_, error, code) => {
    expect(platformCode(error)).toBe(code);
  });
});

describe('a MissingApiKeyError', () => {
  it.each(['sk-4Fh2mQx9Zr', 'A'.repeat(33), 'two words'])(
    'tells no variable that may be a key: %s',
    (envKey) => {
      const error = new MissingApiKeyError('p', envKey);
      expect(error.message).toBe(
        'The provider "p" needs an API key: set the environment variable named by envKey, or the provider\'s apiKey.',
      );
      expect(error.envKey).toBeUndefined();
    },
  );
});
