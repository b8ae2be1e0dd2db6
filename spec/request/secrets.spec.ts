import fc from 'fast-check';
import { identity } from 'rxjs';
import { causeWithoutSecrets, redact, redactor, secretsOf } from '../../src/request/secrets.js';

const url = 'https://api.example/v1/chat/completions';

describe('secretsOf', () => {
  it.each<[string, Record<string, string>, string, readonly string[]]>([
    ['a bearer key', { Authorization: 'Bearer sk-1' }, url, ['sk-1']],
    ['a bearer key in any case', { authorization: 'bearer sk-1' }, url, ['sk-1']],
    ['basic credentials', { Authorization: 'Basic dXNlcjo' }, url, ['dXNlcjo']],
    ['a key among blanks', { Authorization: '  Bearer  sk-1  ' }, url, ['sk-1']],
    [
      'a key that holds the name of a scheme',
      { 'api-key': 'xBearer\tb' },
      url,
      ['xBearer%09b', 'xBearer\\tb', 'xBearer\tb'],
    ],
    ['a key header', { 'api-key': 'k1' }, url, ['k1']],
    ['a token header', { 'X-Access-Token': 't1' }, url, ['t1']],
    ['a cookie', { Cookie: 'sid=1' }, url, ['sid%3D1', 'sid%3d1', 'sid=1']],
    ['a key in the query', {}, `${url}?key=k1&version=2`, ['k1']],
    ['nothing of other headers', { Accept: 'text/event-stream', 'X-Author': 'Me' }, `${url}?v=2`, []],
    ['nothing of a path', {}, 'https://api.example/key=1/v1', []],
    ['nothing of a path that is followed by a query', {}, 'https://api.example/token?v=2', []],
    ['nothing of an empty key', { Authorization: 'Bearer ', 'api-key': '' }, `${url}?key=`, []],
  ])('are %s', (_, headers, address, expected) => {
    expect(secretsOf({ url: address, headers })).toEqual(expected);
  });

  it('come as JSON, URLs and HTML write them too, the longest first', () => {
    expect(secretsOf({ url, headers: { 'api-key': 'a/"b' } })).toEqual([
      'a/&quot;b',
      'a%2F%22b',
      'a%2f%22b',
      'a\\/\\"b',
      'a/\\"b',
      'a/"b',
    ]);
  });

  it('come with all that HTML escapes', () => {
    expect(secretsOf({ url, headers: { 'api-key': '<a&b>' } })).toEqual([
      '&lt;a&amp;b&gt;',
      '%3Ca%26b%3E',
      '%3ca%26b%3e',
      '<a&b>',
    ]);
  });

  it('come with a key in whatever header it is sent', () => {
    expect(secretsOf({ url, headers: { 'X-Mine': 'abc' } }, 'abc')).toEqual(['abc']);
  });
});

describe('redact', () => {
  it.each([
    ['no secret here', 'no secret here'],
    ['key sk-123456789 and sk-123456789', 'key *** and ***'],
    ['cut at sk-12345678', 'cut at ***'],
    ['cut at sk-12345', 'cut at ***'],
    ['cut at sk-1234', 'cut at sk-1234'],
    ['cut at xk-12345678', 'cut at xk-12345678'],
    ['sk-12345 inside', 'sk-12345 inside'],
    ['', ''],
  ])('makes %j to %j', (text, expected) => {
    expect(redact(text, ['sk-123456789'])).toBe(expected);
  });

  it('leaves no part of a longer secret that holds a shorter one', () => {
    const secrets = secretsOf({ url, headers: { 'api-key': 'abc', 'x-token': 'abcdef' } });
    expect(redact('abcdef abc', secrets)).toBe('*** ***');
  });

  it('leaves a text as it is where there is no secret', () => {
    expect(redact('anything', [])).toBe('anything');
  });

  it('leaves no secret in any text', () => {
    fc.assert(
      fc.property(fc.string(), fc.stringMatching(/^[\w-]{4,20}$/), fc.string(), (before, key, after) => {
        expect(redact(`${before}${key}${after}`, [key])).not.toContain(key);
      }),
    );
  });
});

describe('redactor', () => {
  it('takes out what a request holds of secrets, or those alone that are long enough', () => {
    const clean = redactor({ url, headers: { 'api-key': 'none' } }, 'sk-123456789');
    expect(clean('none, sk-123456789')).toBe('***, ***');
    expect(clean('none, sk-123456789', 8)).toBe('none, ***');
  });
});

describe('causeWithoutSecrets', () => {
  const clean = (text: string) => redact(text, ['sk-secret']);

  it.each<[string, unknown]>([
    ['an error', new Error('connect ECONNREFUSED 127.0.0.1:9')],
    ['an error with a cause', new Error('failed', { cause: new Error('reset') })],
    ['an error without a stack', Object.assign(new Error('failed'), { stack: undefined })],
    ['a string', 'closed'],
    ['no error at all', { status: 0 }],
    ['nothing', undefined],
    ['null', null],
  ])('gives %s without a secret back as it is', (_, cause) => {
    expect(causeWithoutSecrets(cause, clean)).toBe(cause);
  });

  it.each<[string, unknown]>([
    ['a message', new Error('invalid header value "Bearer sk-secret"')],
    ['a cause', new Error('failed', { cause: new Error('sk-secret') })],
    ['a string', 'sk-secret is no key'],
    ['a fourth cause', [1, 2, 3, 4].reduce<unknown>((cause) => new Error('x', { cause }), 'sk-secret')],
    ['a string below an error', new Error('failed', { cause: 'sk-secret' })],
    ['a stack', Object.assign(new Error('failed'), { stack: 'at fetch(https://x/?key=sk-secret)' })],
  ])('gives an error of its own where %s holds a secret', (_, cause) => {
    const safe = causeWithoutSecrets(cause, clean);
    expect(safe).toEqual(new Error('The platform’s message held a secret.'));
    const { message, stack, cause: below } = safe as Error;
    expect([message, stack, String(below)].join()).not.toContain('sk-secret');
  });

  it.each<[string, string | undefined, object]>([
    ['the code', 'ECONNRESET', { code: 'ECONNRESET' }],
    ['no code that is the secret', 'SK_SECRET', {}],
    ['no code where there is none', undefined, {}],
  ])('keeps %s of an error whose words it leaves out', (_, code, kept) => {
    const hidesBoth = (text: string) => redact(text, ['sk-secret', 'SK_SECRET']);
    const safe = causeWithoutSecrets(Object.assign(new Error('sk-secret'), { code }), hidesBoth);
    expect(Object.fromEntries(Object.entries(safe as Error))).toStrictEqual(kept);
  });

  it('leaves what says where an error happened, hides what else it holds, and drops the bytes it read', () => {
    const place = {
      code: 'HPE_INVALID',
      errno: -1,
      syscall: 'read',
      address: '127.0.0.1',
      port: 9,
      hostname: 'api.example',
      reason: 'Invalid character',
      cause: new Error('reset'),
    };
    const config = { headers: { Authorization: 'Bearer sk' } };
    const error = Object.assign(new Error('Parse Error'), place, {
      config,
      data: 'asked',
      rawPacket: 'said',
    });
    expect(causeWithoutSecrets(error, clean)).toBe(error);
    expect(Object.fromEntries(Object.entries(error))).toEqual(place);
    expect([error.config, 'data' in error, 'rawPacket' in error]).toEqual([config, false, false]);
  });

  it('leaves what is no error as it is', () => {
    const answer = { status: 0, config: {} };
    expect(causeWithoutSecrets(answer, clean)).toBe(answer);
    expect(Object.keys(answer)).toEqual(['status', 'config']);
    const wordless = { message: 1, stack: 'sk-secret' };
    expect(causeWithoutSecrets(wordless, clean)).toBe(wordless);
  });

  it('gives every cause back where there is no secret', () => {
    const cause = new Error('anything');
    expect(causeWithoutSecrets(cause, identity)).toBe(cause);
  });

  it('comes to an end with causes that go in a circle', () => {
    const circle = new Error('around');
    circle.cause = circle;
    expect(causeWithoutSecrets(circle, clean)).toBe(circle);
  });
});
