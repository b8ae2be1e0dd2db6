import { type ChatOptions, checkOptions, openTurn, type TurnOptions } from '../src/options.js';

const provider = { name: 'local', baseUrl: 'http://localhost' };
const options: ChatOptions = { model: 'm', provider };

describe('openTurn', () => {
  const limitsOf = (given: Partial<ChatOptions>) => {
    const { retry, responseTimeout, idleTimeout } = openTurn({ ...options, ...given });
    return { ...retry, responseTimeout, idleTimeout };
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
    const [first, second] = [openTurn(options), openTurn(options)];
    first.attempts.count += 1;
    expect([first.attempts.count, second.attempts.count]).toEqual([1, 0]);
  });
});

describe('checkOptions', () => {
  it.each<[string, object]>([
    ['no limits', {}],
    [
      'the smallest',
      { retry: { maxRetries: 0, initialDelay: 0, factor: 0, jitter: 0, maxDelay: 0, maxRetryAfter: 0 } },
    ],
    ['the smallest times', { responseTimeout: 1, idleTimeout: 1, maxEventSize: 1 }],
    ['none at all', { responseTimeout: Infinity, idleTimeout: Infinity, maxEventSize: Infinity }],
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

  it.each([['byte'], [null], [true]])('refuses idleOn %p', (idleOn) => {
    expect(refuse({ ...options, idleOn })).toThrow(
      new TypeError("options.idleOn must be 'events' or 'bytes'."),
    );
  });

  const bad = [NaN, '1', null, -1, -Infinity];

  it.each(
    ['maxRetries', 'initialDelay', 'factor', 'jitter', 'maxDelay', 'maxRetryAfter'].flatMap((name) =>
      bad.map((value) => [name, value] as const),
    ),
  )('refuses retry.%s of %p', (name, value) => {
    expect(refuse({ ...options, retry: { [name]: value } })).toThrow(
      new TypeError(`options.retry.${name} must be a number of at least 0.`),
    );
  });

  it.each(
    ['responseTimeout', 'idleTimeout', 'maxEventSize'].flatMap((name) =>
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
  ])("refuses the provider's %s of %d", (name, value, least) => {
    expect(refuse({ ...options, provider: { ...provider, [name]: value } })).toThrow(
      new TypeError(`options.provider.${name} must be a number of at least ${least}.`),
    );
  });
});
