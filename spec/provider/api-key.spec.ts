import {
  asyncScheduler,
  EMPTY,
  map,
  NEVER,
  type ObservableInput,
  of,
  range,
  type SchedulerLike,
  throwError,
  VirtualTimeScheduler,
} from 'rxjs';
import { MissingApiKeyError } from '../../src/turn/errors.js';
import { resolveApiKey } from '../../src/provider/api-key.js';
import type { ModelProvider } from '../../src/provider/model-provider.js';
import { failureOf, received, testScheduler } from '../support/marbles.js';

const envKey = 'SPEC_API_KEY';
const key = (provider: Partial<ModelProvider>, scheduler: SchedulerLike = asyncScheduler) =>
  resolveApiKey({ name: 'spec', baseUrl: 'http://localhost', ...provider }, scheduler);

afterEach(() => {
  delete process.env[envKey];
});

describe('resolveApiKey of a string', () => {
  it.each<[string, Partial<ModelProvider>, string | undefined]>([
    ['gives it, synchronously', { apiKey: 'sk-1' }, 'sk-1'],
    ['trims it', { apiKey: ' sk-1\n' }, 'sk-1'],
    ['prefers it to the environment', { apiKey: 'sk-1', envKey }, 'sk-1'],
    ['takes a blank one for none', { apiKey: '  ' }, undefined],
    ['looks into the environment where it is blank', { apiKey: '', envKey }, 'from env'],
    ['looks into the environment where it is not given', { envKey }, 'from env'],
    ['gives none where none is needed', {}, undefined],
  ])('%s', (_, provider, expected) => {
    process.env[envKey] = ' from env ';
    expect(received(key(provider))).toEqual([expected]);
  });

  it.each([undefined, '', ' \n'])('fails where the environment variable is %p', (value) => {
    if (value !== undefined) process.env[envKey] = value;
    const failure = failureOf(key({ envKey, envKeyInstructions: 'Ask Bob.' }));
    expect(failure).toBeInstanceOf(MissingApiKeyError);
    expect(failure).toMatchObject({ envKey, instructions: 'Ask Bob.' });
    expect((failure as Error).message).toBe(
      'The provider "spec" needs an API key: set the environment variable SPEC_API_KEY, or the provider\'s apiKey. Ask Bob.',
    );
  });

  it('takes nothing inherited for an environment variable', () => {
    expect(failureOf(key({ envKey: 'toString' }))).toBeInstanceOf(MissingApiKeyError);
  });

  it('reads the environment at each subscription', () => {
    const each = key({ envKey });
    process.env[envKey] = 'one';
    expect(received(each)).toEqual(['one']);
    process.env[envKey] = 'two';
    expect(received(each)).toEqual(['two']);
  });

  it('finds no environment where the platform has none', () => {
    const { process: node } = globalThis;
    Object.defineProperty(globalThis, 'process', { value: undefined, configurable: true, writable: true });
    try {
      expect(failureOf(key({ envKey: 'PATH' }))).toBeInstanceOf(MissingApiKeyError);
    } finally {
      Object.defineProperty(globalThis, 'process', { value: node, configurable: true, writable: true });
    }
  });
});

describe('resolveApiKey of a function', () => {
  it('takes the first value and leaves the rest', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const keys = cold('--a-b-|');
      expectObservable(key({ apiKey: () => keys })).toBe('--(a|)');
      expectSubscriptions(keys.subscriptions).toBe('     ^-!');
    });
  });

  it('passes its error on unchanged', () => {
    testScheduler().run(({ cold, expectObservable }) => {
      const error = new RangeError('vault is sealed');
      expectObservable(key({ apiKey: () => cold('--#', undefined, error) })).toBe('--#', undefined, error);
    });
    const error = new RangeError('vault is sealed');
    expect(failureOf(key({ apiKey: () => throwError(() => error) }))).toBe(error);
  });

  it('passes what it throws on unchanged', () => {
    const error = new Error('no vault');
    const apiKey = () => {
      throw error;
    };
    expect(failureOf(key({ apiKey }))).toBe(error);
  });

  it('cancels it with the subscriber', () => {
    testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
      const keys = cold('--------a');
      expectObservable(key({ apiKey: () => keys }), '^--!').toBe('-');
      expectSubscriptions(keys.subscriptions).toBe('     ^--!');
    });
  });

  it.each<[string, () => ObservableInput<string>]>([
    ['an Observable', () => of(' sk-1 ', 'sk-2')],
    ['an array', () => ['sk-1', 'sk-2']],
    ['a plain string', () => 'sk-1'],
    ['an endless Observable', () => range(1, Infinity).pipe(map((n) => `sk-${n}`))],
  ])('takes %s, synchronously', (_, apiKey) => {
    expect(received(key({ apiKey }))).toEqual(['sk-1']);
  });

  it.each<[string, () => ObservableInput<string>]>([
    ['a promise', () => Promise.resolve('sk-1')],
    [
      'an async iterable',
      async function* () {
        yield 'sk-1';
      },
    ],
  ])('takes %s', async (_, apiKey) => {
    const values: unknown[] = [];
    await key({ apiKey }).forEach((value) => values.push(value));
    expect(values).toEqual(['sk-1']);
  });

  it('passes the reason of a promise on unchanged', async () => {
    const reason = new Error('401 from the vault');
    await expect(key({ apiKey: () => Promise.reject(reason) }).forEach(() => undefined)).rejects.toBe(reason);
  });

  it.each<[string, () => ObservableInput<unknown>]>([
    ['nothing', () => EMPTY],
    ['an empty string', () => ''],
    ['a blank key', () => of('  ')],
    ['no string', () => of(undefined)],
  ])('fails where it gives %s, and does not turn to the environment', (_, apiKey) => {
    process.env[envKey] = 'from env';
    const failure = failureOf(key({ apiKey: apiKey as () => ObservableInput<string>, envKey }));
    expect(failure).toBeInstanceOf(MissingApiKeyError);
    expect((failure as Error).message).toBe('The apiKey function of the provider "spec" returned no key.');
  });

  it('is asked at each subscription, and not before', () => {
    const apiKey = jest.fn(() => of('sk-1'));
    const each = key({ apiKey });
    expect(apiKey).toHaveBeenCalledTimes(0);
    received(each);
    received(each);
    expect(apiKey).toHaveBeenCalledTimes(2);
  });

  describe('that is slow', () => {
    const late = (limit: number) => new MissingApiKeyError('spec', undefined, undefined, limit);

    it('fails after apiKeyTimeout, and is unsubscribed', () => {
      testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
        const keys = cold('-----------a');
        expectObservable(key({ apiKey: () => keys, apiKeyTimeout: 6 })).toBe('------#', undefined, late(6));
        expectSubscriptions(keys.subscriptions).toBe('                     ^-----!');
      });
      expect(late(6).message).toBe('The apiKey function of the provider "spec" returned no key within 6 ms.');
    });

    it('is given 60 seconds by default', () => {
      testScheduler().run(({ cold, expectObservable, expectSubscriptions }) => {
        const keys = cold('59999ms a');
        expectObservable(key({ apiKey: () => keys })).toBe('59999ms (a|)');
        expectObservable(key({ apiKey: () => NEVER })).toBe('60s #', undefined, late(60_000));
        expectSubscriptions(keys.subscriptions).toBe('^ 59998ms !');
      });
    });

    it('is waited for as long as it takes at Infinity, without a timer', () => {
      const scheduler = new VirtualTimeScheduler();
      const subscription = key({ apiKey: () => NEVER, apiKeyTimeout: Infinity }, scheduler).subscribe();
      expect(scheduler.actions).toEqual([]);
      subscription.unsubscribe();
      testScheduler().run(({ cold, expectObservable }) => {
        const keys = cold('999m a');
        expectObservable(key({ apiKey: () => keys, apiKeyTimeout: Infinity })).toBe('999m (a|)');
      });
    });

    it('is timed by the scheduler that is given', () => {
      const scheduler = new VirtualTimeScheduler();
      const failures: unknown[] = [];
      const promise = new Promise<string>(() => undefined);
      key({ apiKey: () => promise, apiKeyTimeout: 6 }, scheduler).subscribe({
        error: (error: unknown) => failures.push(error, scheduler.now()),
      });
      scheduler.flush();
      expect(failures).toEqual([late(6), 6]);
    });

    it('leaves no timer once it has given a key, has failed or was left', () => {
      const scheduler = new VirtualTimeScheduler();
      key({ apiKey: () => of('sk-1') }, scheduler).subscribe();
      key({ apiKey: () => throwError(() => late(1)) }, scheduler).subscribe({ error: () => undefined });
      key({ apiKey: () => NEVER }, scheduler)
        .subscribe()
        .unsubscribe();
      key({ apiKey: 'sk-1' }, scheduler).subscribe();
      expect(scheduler.actions.filter(({ closed }) => !closed)).toEqual([]);
    });
  });
});
