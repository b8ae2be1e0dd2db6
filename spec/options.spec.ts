import { asyncScheduler, NEVER, of } from 'rxjs';
import { Demand } from '../src/flow/demand.js';
import {
  type ChatOptions,
  checkOptions,
  openTurn,
  type RetryOptions,
  type TurnOptions,
  turnChecks,
} from '../src/options.js';

const provider = { name: 'local', baseUrl: 'http://localhost' };
const options: ChatOptions = { model: 'm', provider };

const everyRetryOption: Required<RetryOptions> = {
  maxRetries: 1,
  initialDelay: 1,
  factor: 2,
  jitter: 0,
  maxDelay: 1,
  maxRetryAfter: 1,
  retryable: () => true,
  random: () => 0,
};
const everyTurnOption: Required<TurnOptions> = {
  provider,
  transport: () => NEVER,
  retry: everyRetryOption,
  admission: () => of(true),
  responseTimeout: 1,
  idleTimeout: 1,
  idleOn: 'bytes',
  finishTimeout: 1,
  maxEventSize: 1,
  maxEventValues: 1,
  includeUsage: true,
  includeRetries: true,
  includeChunks: true,
  demand: new Demand(),
  diagnostics: () => undefined,
  random: () => 0,
  scheduler: asyncScheduler,
};
const everyOption: Required<ChatOptions> = {
  ...everyTurnOption,
  model: 'm',
  params: {},
  toolChoice: 'auto',
  parallelToolCalls: true,
  responseFormat: { type: 'text' },
  sendReasoning: 'reasoning',
};

describe('openTurn', () => {
  const limitsOf = (given: Partial<ChatOptions>) => {
    const { maxRetries, maxRetryAfter, responseTimeout, idleTimeout } = openTurn({ ...options, ...given }, 1);
    return { maxRetries, maxRetryAfter, responseTimeout, idleTimeout };
  };

  it.each<[string, Partial<ChatOptions>, Partial<ReturnType<typeof limitsOf>>]>([
    ['defaults', {}, {}],
    [
      'the provider',
      { provider: { ...provider, maxRetries: 1, idleTimeout: 2 } },
      { maxRetries: 1, idleTimeout: 2 },
    ],
    [
      'the options before the provider',
      {
        provider: { ...provider, maxRetries: 1, idleTimeout: 2 },
        retry: { maxRetries: 0, maxRetryAfter: 0 },
        idleTimeout: Infinity,
        responseTimeout: 5,
      },
      { maxRetries: 0, maxRetryAfter: 0, idleTimeout: Infinity, responseTimeout: 5 },
    ],
  ])('takes %s', (_, given, expected) => {
    expect(limitsOf(given)).toEqual({
      maxRetries: 4,
      maxRetryAfter: 60_000,
      responseTimeout: Infinity,
      idleTimeout: 300_000,
      ...expected,
    });
  });

  it('counts the attempts of each turn by themselves', () => {
    const [first, second] = [openTurn(options, 1), openTurn(options, 1)];
    first.attempt += 1;
    expect([first.attempt, second.attempt]).toEqual([1, 0]);
  });
});

describe('checkOptions', () => {
  it.each<[string, object]>([
    ['no limits', {}],
    [
      'the smallest',
      { retry: { maxRetries: 0, initialDelay: 0, factor: 0, jitter: 0, maxDelay: 0, maxRetryAfter: 0 } },
    ],
    [
      'the smallest times',
      { responseTimeout: 1, idleTimeout: 1, finishTimeout: 1, maxEventSize: 1, maxEventValues: 1 },
    ],
    [
      'none at all',
      {
        responseTimeout: Infinity,
        idleTimeout: Infinity,
        finishTimeout: Infinity,
        maxEventSize: Infinity,
        maxEventValues: Infinity,
      },
    ],
    ['either life', { idleOn: 'bytes' }],
    ['the other life', { idleOn: 'events' }],
    [
      'a retry without limit',
      { retry: { maxRetries: Infinity, maxDelay: Infinity, maxRetryAfter: Infinity } },
    ],
  ])('accepts %s', (_, given) => {
    expect(() => checkOptions({ ...options, ...given })).not.toThrow();
  });

  it('asks for no model, which a turn without a prompt has in its body', () => {
    const turn: TurnOptions = { provider };
    expect(() => checkOptions(turn)).not.toThrow();
  });

  it('knows every option that there is', () => {
    expect(() => checkOptions(everyOption)).not.toThrow();
    expect(() => checkOptions(everyTurnOption, turnChecks)).not.toThrow();
  });

  it('takes an unknown option that is undefined for one that is not given', () => {
    const retry: object = { maxRetires: undefined };
    expect(() => checkOptions({ ...options, ...{ temperature: undefined, retry } })).not.toThrow();
  });

  const refuse = (given: unknown) => () => checkOptions(given as ChatOptions);

  it.each([[undefined], [null], ['gpt'], [7]])('refuses %p in place of options', (given) => {
    expect(refuse(given)).toThrow(new TypeError('options must be an object.'));
  });

  it.each([[undefined], [null], ['openai'], [{}], [{ baseUrl: new URL('http://localhost') }]])(
    'refuses the provider %p',
    (given) => {
      expect(refuse({ ...options, provider: given })).toThrow(
        new TypeError('options.provider must be an object with a baseUrl, such as builtInProviders.openai.'),
      );
    },
  );

  it.each([
    ['maxRetries', 'retry.maxRetries'],
    ['max_retries', 'retry.maxRetries'],
    ['jitter', 'retry.jitter'],
    ['apiKey', 'provider.apiKey'],
    ['baseUrl', 'provider.baseUrl'],
    ['baseURL', 'provider.baseUrl'],
    ['headers', 'provider.headers'],
    ['tool_choice', 'toolChoice'],
    ['idletimeout', 'idleTimeout'],
  ])('refuses the option %s, and asks whether %s was meant', (name, meant) => {
    expect(refuse({ ...options, [name]: 1 })).toThrow(
      new TypeError(`Unknown option "${name}": did you mean options.${meant}?`),
    );
  });

  it.each(['temperature', 'max_tokens', 'maxTokens', 'top_k', 'signal', 'toString', ''])(
    'refuses the option "%s", and says where the parameters of a request go',
    (name) => {
      expect(refuse({ ...options, [name]: 1 })).toThrow(
        new TypeError(`Unknown option "${name}": request parameters go in options.params.`),
      );
    },
  );

  it.each([
    ['max_retries', ': did you mean options.retry.maxRetries?'],
    ['idleTimeout', ': did you mean options.idleTimeout?'],
    ['maxRetires', '.'],
    ['temperature', '.'],
  ])('refuses %s among the options of the retries', (name, hint) => {
    expect(refuse({ ...options, retry: { [name]: 1 } })).toThrow(
      new TypeError(`Unknown option "retry.${name}"${hint}`),
    );
  });

  it.each(['model', 'params', 'temperature', 'toolChoice', 'top_k', 'x'])(
    'refuses the option %s where the request is a body',
    (name) => {
      expect(() => checkOptions({ provider, [name]: 1 }, turnChecks)).toThrow(
        new TypeError(`Unknown option "${name}": request parameters go in the body.`),
      );
    },
  );

  it('asks whether another option was meant where the request is a body, too', () => {
    expect(() => checkOptions({ provider, maxRetries: 1 } as TurnOptions, turnChecks)).toThrow(
      new TypeError('Unknown option "maxRetries": did you mean options.retry.maxRetries?'),
    );
  });

  it.each([[null], [{}], ['fetch'], [true]])('refuses the transport %p', (transport) => {
    expect(refuse({ ...options, transport })).toThrow(
      new TypeError('options.transport must be a function, such as fetchTransport().'),
    );
  });

  it.each([['snapshots'], [null], [true]])('refuses provider.deltas %p', (deltas) => {
    expect(refuse({ ...options, provider: { ...options.provider, deltas } })).toThrow(
      new TypeError("options.provider.deltas must be 'incremental' or 'cumulative'."),
    );
  });

  it.each([['byte'], [null], [true]])('refuses idleOn %p', (idleOn) => {
    expect(refuse({ ...options, idleOn })).toThrow(
      new TypeError("options.idleOn must be 'events' or 'bytes'."),
    );
  });

  const bad = [NaN, '1', null, -1, -Infinity];

  it.each(
    ['maxRetries', 'initialDelay', 'factor', 'maxDelay', 'maxRetryAfter'].flatMap((name) =>
      bad.map((value) => [name, value] as const),
    ),
  )('refuses retry.%s of %p', (name, value) => {
    expect(refuse({ ...options, retry: { [name]: value } })).toThrow(
      new TypeError(`options.retry.${name} must be a number of at least 0.`),
    );
  });

  it.each([...bad, 1.5, Infinity])('refuses retry.jitter of %p', (jitter) => {
    expect(refuse({ ...options, retry: { jitter } })).toThrow(
      new TypeError('options.retry.jitter must be a number from 0 to 1.'),
    );
  });

  it.each(
    ['responseTimeout', 'idleTimeout', 'maxEventSize', 'maxEventValues'].flatMap((name) =>
      [...bad, 0, 0.5].map((value) => [name, value] as const),
    ),
  )('refuses %s of %p', (name, value) => {
    expect(refuse({ ...options, [name]: value })).toThrow(
      new TypeError(`options.${name} must be a number of at least 1.`),
    );
  });

  it.each([
    ['maxRetries', -1, 0],
    ['idleTimeout', 0, 1],
    ['apiKeyTimeout', 0, 1],
    ['apiKeyTimeout', NaN, 1],
  ])("refuses the provider's %s of %d", (name, value, least) => {
    expect(refuse({ ...options, provider: { ...provider, [name]: value } })).toThrow(
      new TypeError(`options.provider.${name} must be a number of at least ${least}.`),
    );
  });
});
