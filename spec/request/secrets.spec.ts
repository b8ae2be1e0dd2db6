import { createContext, runInContext } from 'node:vm';
import fc from 'fast-check';
import { StreamError, TransportError } from '../../src/index.js';
import {
  causeWithoutSecrets,
  cleanFailure,
  mergeSpans,
  redact,
  redactor,
  secretsOf,
  sought,
} from '../../src/request/secrets.js';

const url = 'https://api.example/v1/chat/completions';

describe('secretsOf', () => {
  it.each<[string, Record<string, string>, string, readonly string[]]>([
    ['a bearer key', { Authorization: 'Bearer sk-123456' }, url, ['sk-123456']],
    ['a bearer key in any case', { authorization: 'bearer sk-123456' }, url, ['sk-123456']],
    ['a key among blanks', { Authorization: '  Bearer  sk-123456  ' }, url, ['sk-123456']],
    [
      'basic credentials, and what they say',
      { Authorization: `Basic ${btoa('user-name:pass-word')}` },
      url,
      [btoa('user-name:pass-word'), 'user-name:pass-word', 'user-name', 'pass-word'],
    ],
    ['basic credentials that are no Base64', { Authorization: 'Basic %%%%%%%%' }, url, ['%%%%%%%%']],
    ['a key that holds the name of a scheme', { 'api-key': 'xBearer\tb' }, url, ['xBearer\tb', 'xBearer']],
    ['a key header', { 'x-goog-api-key': 'k1234567' }, url, ['k1234567']],
    ['a token header', { 'X-Access-Token': 't1234567' }, url, ['t1234567']],
    ['a proxy’s key', { 'Proxy-Authorization': 'Bearer sk-123456' }, url, ['sk-123456']],
    ['a password', { 'X-Passwd': 'pass-word' }, url, ['pass-word']],
    ['a session', { 'X-Session': 's-1234567' }, url, ['s-1234567']],
    [
      'each cookie',
      { Cookie: 'sid=12345678; theme=dark' },
      url,
      ['sid=12345678; theme=dark', 'sid=12345678', '12345678', 'theme=dark'],
    ],
    [
      'what an authorization of another scheme holds',
      { Authorization: 'Digest response="0123456789"' },
      url,
      ['Digest response="0123456789"', 'response="0123456789"', '0123456789'],
    ],
    ['a key in the query', {}, `${url}?key=k1234567&version=20261128`, ['k1234567']],
    ['a signature in the query', {}, `${url}?sv=20261128&sig=a%2Fb%2B1234`, ['a/b+1234']],
    ['an Azure function’s code', {}, `${url}?code=k1234567`, ['k1234567']],
    ['nothing of other headers', { 'X-Author': 'Somebody Else', Design: '12345678' }, `${url}?v=2`, []],
    ['nothing of a path', {}, 'https://api.example/key=12345678/v1', []],
    ['nothing of a path that is followed by a query', {}, 'https://api.example/token?v=20261128', []],
    ['nothing of an empty key', { Authorization: 'Bearer ', 'api-key': '' }, `${url}?key=`, []],
    ['no word', { Authorization: 'Bearer ollama', 'api-key': 'none' }, `${url}?key=123456`, []],
  ])('are %s', (_, headers, address, expected) => {
    expect(secretsOf({ url: address, headers })).toEqual(expected);
  });

  it('come with a key in whatever header it is sent, if it has 7 characters or more', () => {
    expect(secretsOf({ url, headers: { 'X-Mine': 'abcdefg' } }, 'abcdefg')).toEqual(['abcdefg']);
    expect(secretsOf({ url, headers: { 'X-Mine': 'abcdef' } }, 'abcdef')).toEqual([]);
  });
});

/** Every character as JSON may write it. */
const escaped = (text: string): string =>
  Array.from(text, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`).join('');

const inUrl = (text: string): string =>
  Array.from(text, (character) => `%${character.charCodeAt(0).toString(16)}`).join('');

const inHtml = (text: string, radix: 10 | 16): string =>
  Array.from(text, (character) => {
    const code = character.charCodeAt(0).toString(radix);
    return radix === 16 ? `&#x${code};` : `&#${code};`;
  }).join('');

describe('redact', () => {
  it.each([
    ['no secret here', 'no secret here'],
    ['key sk-123456789 and sk-123456789', 'key *** and ***'],
    ['cut at sk-12345678', 'cut at ***'],
    ['cut at sk-12345', 'cut at ***'],
    ['cut at sk-1234', 'cut at sk-1234'],
    ['cut at xk-12345678', 'cut at xk-12345678'],
    ['cut at sk-12345sk-12345', 'cut at sk-12345***'],
    ['sk-12345 inside', 'sk-12345 inside'],
    ['sk-123456789sk-123456789', '******'],
    ['', ''],
  ])('makes %j to %j', (text, expected) => {
    expect(redact(text, sought(['sk-123456789']))).toBe(expected);
  });

  const key = 'sk-a/"<b>&=%\\+ é~4F';
  const inner = JSON.stringify(key).slice(1, -1);

  it.each<[string, string]>([
    ['JSON', inner],
    ['JSON with slashes escaped', inner.replaceAll('/', '\\/')],
    ['JSON in JSON in JSON', JSON.stringify(JSON.stringify(inner).slice(1, -1)).slice(1, -1)],
    ['JSON in escapes', escaped(key)],
    ['JSON in escapes, in JSON', JSON.stringify(escaped(key)).slice(1, -1)],
    ['JSON in escapes, their backslashes too', escaped(escaped(key))],
    ['a URL', encodeURIComponent(key)],
    ['a URL in small letters', encodeURIComponent(key).replace(/%../g, (one) => one.toLowerCase())],
    ['a URL, every character escaped', inUrl(key.replace('é', 'e')).replace('%65%7e', 'é%7e')],
    ['a URL in a URL', encodeURIComponent(encodeURIComponent(key))],
    ['a URL in a URL in a URL', encodeURIComponent(encodeURIComponent(encodeURIComponent(key)))],
    ['a form', new URLSearchParams([['', key]]).toString().slice(1)],
    ['a URL in JSON in escapes', escaped(encodeURIComponent(key))],
    ['JSON in escapes, in a URL', encodeURIComponent(escaped(key))],
    [
      'HTML',
      key.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;'),
    ],
    [
      'HTML in HTML',
      key.replaceAll('&', '&amp;amp;').replaceAll('<', '&amp;lt;').replaceAll('"', '&amp;#34;'),
    ],
    ['HTML in decimal references', inHtml(key, 10)],
    ['HTML in hexadecimal references', inHtml(key, 16)],
    ['HTML in JSON', JSON.stringify(inHtml(key, 10)).replaceAll('&', '\\u0026').slice(1, -1)],
    ['hex', Buffer.from(key).toString('hex')],
    ['hex in capitals', Buffer.from(key).toString('hex').toUpperCase()],
    ['UTF-8 that was read as Latin-1', Buffer.from(key).toString('latin1')],
  ])('finds a secret as it stands in %s', (_, form) => {
    expect(redact(`a ${form} b ${form}, c`, sought([key]))).toBe('a *** b ***, c');
  });

  const token = 'sk-4Fh2mQx9Zr~~??>>7Lw3';

  it.each([0, 1, 2, 3, 4, 5])('finds a secret in Base64, %i bytes behind its beginning', (before) => {
    for (const after of ['', 'x', 'xy', 'xyz'])
      for (const encoding of ['base64', 'base64url'] as const) {
        const form = Buffer.from(`${'user:'.slice(0, before)}${token}${after}`).toString(encoding);
        const clean = redact(`Basic ${form}, c`, sought([token]));
        expect(clean).toContain('***');
        // No more than a character at either end.
        const kept = [0, 1, 2].map((skipped) =>
          Buffer.from(clean.slice(6 + skipped), 'base64').toString('latin1'),
        );
        for (let at = 0; at + 3 < token.length; at += 1)
          expect(kept.join(' ')).not.toContain(token.slice(at, at + 3));
      }
  });

  it('finds Base64 that is escaped', () => {
    const form = encodeURIComponent(Buffer.from(token).toString('base64'));
    expect(redact(`a=${form}`, sought([token]))).toMatch(/^a=\*\*\*.{0,7}$/);
  });

  it.each([
    ['JSON', `${escaped('sk-4Fh2m')}\\u00`],
    ['JSON, behind the backslash', `${escaped('sk-4Fh2m')}\\`],
    ['a URL', `${inUrl('sk-4Fh2m')}%2`],
    ['HTML', `${inHtml('sk-4Fh2m', 16)}&#x3`],
  ])('finds the beginning of a secret that the end cuts inside an escape of %s', (_, cut) => {
    expect(redact(`a ${cut}`, sought([token]))).toBe('a ***');
  });

  it('leaves what stands around a secret as it was written', () => {
    const text = '{"a\\u0041":"caf\\u00e9 \\"%s\\" &amp; \\n%41","b":"&lt;%s&gt;&x"}';
    expect(redact(text.replaceAll('%s', escaped(token)), sought([token]))).toBe(text.replaceAll('%s', '***'));
    expect(redact(text.replaceAll('%s', token), sought([token]))).toBe(text.replaceAll('%s', '***'));
  });

  it('leaves no part of a longer secret that holds a shorter one', () => {
    const secrets = sought(secretsOf({ url, headers: { 'api-key': 'abcdefgh', 'x-token': 'abcdefghijk' } }));
    expect(redact('abcdefghijk abcdefgh', secrets)).toBe('*** ***');
  });

  it('comes to an end with a secret that is nothing but escapes', () => {
    expect(redact('a \\\\\\\\\\\\\\\\ b', sought(['\\\\\\\\\\\\\\\\']))).toBe('a *** b');
    expect(redact('%%% a', sought(['%25%25%25']))).toBe('%%% a');
  });

  it('leaves a text as it is where there is no secret', () => {
    expect(redact('anything \\u0041', sought([]))).toBe('anything \\u0041');
  });

  it('leaves no secret in any text, however often each was written as JSON, in a URL or in HTML', () => {
    const encodings = [
      (text: string) => JSON.stringify(text).slice(1, -1),
      escaped,
      encodeURIComponent,
      (text: string) => inHtml(text, 16),
    ];
    fc.assert(
      fc.property(
        fc.string(),
        fc.stringMatching(/^[\w+/-]{8,20}$/),
        fc.array(fc.constantFrom(...encodings), { maxLength: 3 }),
        (before, secret, written) => {
          const form = written.reduce((text, encode) => encode(text), secret);
          // Blanks, so that no escape of the text before takes a part of the secret's.
          expect(redact(`${before} ${form} `, sought([secret]))).not.toContain(form);
        },
      ),
    );
  });

  it('copies a text once, and asks for each form once more than it stands there', () => {
    const scanned = (echoes: number) => {
      const secrets = sought(['sk-123456789']);
      const indexOf = jest.spyOn(String.prototype, 'indexOf');
      const slice = jest.spyOn(String.prototype, 'slice');
      try {
        redact('sk-123456789 '.repeat(echoes), secrets);
        const copied = slice.mock.results.reduce((sum, { value }) => sum + (value as string).length, 0);
        return { asked: indexOf.mock.calls.length, copied };
      } finally {
        indexOf.mockRestore();
        slice.mockRestore();
      }
    };
    const [once, often] = [scanned(1), scanned(20_000)];
    // As it stands and in its plain form.
    expect(often.asked - once.asked).toBe(2 * 19_999);
    expect(often.copied).toBeLessThan(2 * 13 * 20_000);
  });
});

describe('mergeSpans', () => {
  it('puts spans in order, and those that overlap together', () => {
    expect(
      mergeSpans([
        [8, 9],
        [0, 3],
        [1, 2],
        [2, 5],
        [5, 6],
      ]),
    ).toEqual([
      [0, 5],
      [5, 6],
      [8, 9],
    ]);
  });
});

describe('redactor', () => {
  it('takes out what a request holds of secrets, and no word', () => {
    const clean = redactor({ url, headers: { 'api-key': 'none', Cookie: 'sid=12345678' } }, 'sk-123456789');
    expect(clean('none, sk-123456789, 12345678')).toBe('none, ***, ***');
  });
});

describe('causeWithoutSecrets', () => {
  const clean = redactor({ url, headers: {} }, 'sk-secret-key');
  const tell = (cause: unknown) => causeWithoutSecrets(cause, clean);
  const told = (error: unknown) => {
    const { name, message, cause, ...others } = error as Error;
    return { name, message, ...others, ...(cause === undefined ? {} : { cause }) };
  };

  it('keeps the name, code, errno, syscall and message of an error, and nothing else', () => {
    const error = Object.assign(new TypeError('connect ECONNREFUSED 127.0.0.1:9'), {
      code: 'ECONNREFUSED',
      errno: -111,
      syscall: 'connect',
      address: '127.0.0.1',
      config: { headers: { Authorization: 'Bearer sk-secret-key' } },
      request: 'the request',
      rawPacket: 'the answer',
      stack: 'at fetch(https://x/?key=sk-secret-key)',
    });
    const safe = tell(error);
    expect(safe).toBeInstanceOf(Error);
    expect(Object.getOwnPropertyNames(safe).sort()).toEqual(
      ['code', 'errno', 'message', 'name', 'stack', 'syscall'].sort(),
    );
    expect(told(safe)).toEqual({
      name: 'TypeError',
      message: 'connect ECONNREFUSED 127.0.0.1:9',
      code: 'ECONNREFUSED',
      errno: -111,
      syscall: 'connect',
    });
    expect(Object.keys(safe as Error)).toEqual(['code', 'errno', 'syscall']);
    expect((safe as Error).stack).not.toContain('sk-secret');
    expect(error.config.headers.Authorization).toBe('Bearer sk-secret-key');
  });

  it.each<[string, unknown, object]>([
    [
      'a message',
      new Error('"Bearer sk-secret-key" is invalid'),
      { name: 'Error', message: '"Bearer ***" is invalid' },
    ],
    ['a code', Object.assign(new Error('x'), { code: 'sk-secret-key' }), { name: 'Error', message: 'x' }],
    ['a name', Object.assign(new Error('x'), { name: 'sk-secret-key' }), { name: 'Error', message: 'x' }],
    [
      'a syscall',
      Object.assign(new Error('x'), { syscall: 'sk-secret-key' }),
      { name: 'Error', message: 'x' },
    ],
    [
      'a code of prose',
      Object.assign(new Error('x'), { code: 'it was refused' }),
      { name: 'Error', message: 'x' },
    ],
  ])('keeps no secret of %s', (_, error, kept) => {
    expect(told(tell(error))).toEqual(kept);
  });

  it('keeps 300 characters of a message, without control and direction characters', () => {
    const message = `a\u0000\u001b[31m\n\u2028b \u202ec${'d'.repeat(10_000)}`;
    const safe = tell(new Error(message)) as Error;
    expect(safe.message).toBe(`a [31m b  c${'d'.repeat(289)}`);
  });

  it('keeps causes, and the errors of an AggregateError, in the same way', () => {
    const cause = new RangeError('reset', { cause: 'sk-secret-key was refused' });
    const error = new AggregateError([new Error('one'), 'sk-secret-key'], 'all failed', { cause });
    const safe = tell(error) as AggregateError;
    expect(told(safe)).toMatchObject({ name: 'AggregateError', message: 'all failed' });
    expect(told(safe.cause)).toEqual({ name: 'RangeError', message: 'reset', cause: '*** was refused' });
    expect(safe.errors).toEqual([new Error('one'), '***']);
    expect(Object.keys(safe)).toEqual([]);
  });

  it.each<[string, (below: Error) => Error]>([
    ['causes', (cause) => new Error('x', { cause })],
    ['errors', (below) => new AggregateError([below, below, below])],
  ])('keeps 16 errors of any depth of %s', (_, around) => {
    let error = new Error('innermost');
    for (let depth = 0; depth < 50; depth += 1) error = around(error);
    const kept: unknown[] = [];
    const count = (one: unknown) => {
      if (!(one instanceof Error)) return;
      kept.push(one);
      count(one.cause);
      ((one as Partial<AggregateError>).errors ?? []).forEach(count);
    };
    count(tell(error));
    expect(kept).toHaveLength(16);
  });

  it('comes to an end with causes that go in a circle', () => {
    const circle = new Error('around');
    circle.cause = new Error('and around', { cause: circle });
    expect(told((tell(circle) as Error).cause)).toEqual({ name: 'Error', message: 'and around' });
  });

  it.each<[string, unknown]>([
    ['a frozen error', Object.freeze(Object.assign(new Error('said'), { config: 'sk-secret-key' }))],
    [
      'an error of another realm',
      runInContext('Object.assign(new Error("said"), { a: 1 })', createContext()),
    ],
    ['an object', { name: 'Error', message: 'said', config: { headers: 'sk-secret-key' } }],
    [
      'an error whose getters throw',
      Object.defineProperties(new Error('said'), {
        code: {
          get: () => {
            throw new Error('sk-secret-key');
          },
        },
        cause: {
          get: () => {
            throw new Error('sk-secret-key');
          },
        },
        errors: {
          value: new Proxy([], {
            get: () => {
              throw new Error('sk-secret-key');
            },
          }),
        },
      }),
    ],
  ])('tells %s again as a plain error', (_, cause) => {
    expect(tell(cause)).toEqual(new Error('said'));
    expect(tell(cause)).not.toBe(cause);
  });

  it('keeps the name of an abort, with which a program can tell it', () => {
    expect(tell(new DOMException('aborted', 'AbortError'))).toMatchObject({ name: 'AbortError', code: 20 });
  });

  it.each([
    ['a text', 'closed by sk-secret-key', 'closed by ***'],
    ['nothing', undefined, undefined],
    ['null', null, undefined],
    ['a number', 7, undefined],
    ['a symbol', Symbol('sk-secret-key'), undefined],
  ])('makes of %s what says nothing', (_, cause, kept) => {
    expect(tell(cause)).toBe(kept);
  });
});

describe('redact, of a long text', () => {
  const key = 'sk-a&b=c%d_e"f';
  const forms = [
    JSON.stringify(key).slice(1, -1),
    JSON.stringify(JSON.stringify(key)).slice(3, -3),
    encodeURIComponent(key),
    encodeURIComponent(encodeURIComponent(key)),
    key.replaceAll('&', '&amp;').replaceAll('"', '&#x22;'),
    key.replaceAll('&', '\\u0026'),
    btoa(key),
  ];

  it('finds a secret in whatever form, wherever the parts that are searched at a time meet', () => {
    fc.assert(
      fc.property(fc.constantFrom(...forms), fc.integer({ min: -80, max: 80 }), (form, offset) => {
        const before = '. '.repeat(131_072 - 100).padEnd(262_144 + offset, '!');
        const after = '. '.repeat(200_000);
        const clean = redact(`${before}${form}${after}`, sought([key]));
        expect(clean.startsWith(`${before}***`) || clean.startsWith(`${before.slice(0, -1)}***`)).toBe(true);
        expect(clean.endsWith(after.slice(2))).toBe(true);
        expect(clean.length).toBeLessThan(before.length + after.length + 16);
      }),
      { numRuns: 15 },
    );
  });

  it('leaves the beginning of a secret in the midst of it as it is', () => {
    const text = `${'x'.repeat(262_144)}sk-a%26b=c%25d and so on ${'x'.repeat(262_144)}`;
    expect(redact(text, sought([key]))).toBe(text);
  });

  it.each(['&', '\\n', '\\u0041', '\\', '%25', '%', '-', '+/'])(
    'makes no string for each of many %j',
    (unit) => {
      const text = unit.repeat(300_000);
      const strings = jest.spyOn(String, 'fromCharCode');
      expect(redact(text, sought(['sk-secret-key']))).toBe(text);
      const { length } = strings.mock.calls;
      strings.mockRestore();
      expect(length).toBeLessThan(3_000);
    },
  );
});

describe('cleanFailure', () => {
  const clean = redactor({ url, headers: {} }, 'sk-secret-key');
  const failed = (error: unknown) => cleanFailure(error, clean, (cause) => new TransportError({ cause }));

  it('wraps an error that is not the library’s', () => {
    expect(failed(new RangeError('sk-secret-key'))).toMatchObject({
      name: 'TransportError',
      cause: { name: 'RangeError', message: '***' },
    });
  });

  it('leaves an error of the library’s as it is, but for its cause', () => {
    const bare = new StreamError();
    expect(failed(bare)).toBe(bare);
    expect(bare).not.toHaveProperty('cause');
    const error = new StreamError({ cause: Object.assign(new Error('sk-secret-key'), { config: 'c' }) });
    expect(failed(error)).toBe(error);
    expect(error.cause).toEqual(new Error('***'));
    expect(Object.keys(error)).toEqual(['retryable']);
  });

  it('wraps one that is frozen', () => {
    const error = Object.freeze(new StreamError({ cause: new Error('sk-secret-key') }));
    expect(failed(error)).toMatchObject({
      name: 'TransportError',
      cause: { name: 'StreamError', cause: { message: '***' } },
    });
  });
});
