import { InvalidProviderError } from '../../src/turn/errors.js';
import { endpointOf } from '../../src/provider/endpoint.js';
import type { ModelProvider } from '../../src/provider/model-provider.js';

const baseUrl = 'https://api.example/v1';
const endpoint = (provider: Partial<ModelProvider>, key?: string) =>
  endpointOf({ name: 'spec', baseUrl, ...provider }, key);

function refusal(provider: Partial<ModelProvider>, key?: string): InvalidProviderError {
  try {
    endpoint(provider, key);
  } catch (error) {
    if (error instanceof InvalidProviderError) return error;
    throw error;
  }
  throw new Error('It was not refused.');
}

describe('the URL of an endpoint', () => {
  it.each<[string, string]>([
    ['https://api.example/v1', 'https://api.example/v1/chat/completions'],
    ['https://api.example/v1/', 'https://api.example/v1/chat/completions'],
    ['https://api.example/v1///', 'https://api.example/v1/chat/completions'],
    [' https://api.example/v1 ', 'https://api.example/v1/chat/completions'],
    ['https://api.example', 'https://api.example/chat/completions'],
    ['http://localhost:11434/v1', 'http://localhost:11434/v1/chat/completions'],
    ['http://[::1]:8080', 'http://[::1]:8080/chat/completions'],
    ['http://127.0.0.1:8080', 'http://127.0.0.1:8080/chat/completions'],
    ['https://API.Example:443/v1', 'https://API.Example:443/v1/chat/completions'],
    ['HTTP://api.example:80', 'HTTP://api.example:80/chat/completions'],
    ['https://api.example./v1', 'https://api.example./v1/chat/completions'],
    ['https://xn--bcher-kva.example/a//b', 'https://xn--bcher-kva.example/a//b/chat/completions'],
    [`https://api.example/v1${'/'.repeat(100_000)}`, 'https://api.example/v1/chat/completions'],
    [
      `https://api.example/${'/'.repeat(100_000)}v1`,
      `https://api.example/${'/'.repeat(100_000)}v1/chat/completions`,
    ],
  ])('of %j is %s', (given, url) => {
    expect(endpoint({ baseUrl: given }).url).toBe(url);
  });

  it.each<[Record<string, string>, string]>([
    [{ 'api-version': '2024-10-21' }, '?api-version=2024-10-21'],
    [{ a: '1', b: 'x y&z' }, '?a=1&b=x+y%26z'],
    [{}, ''],
  ])('ends with the query parameters %j', (queryParams, query) => {
    expect(endpoint({ queryParams }).url).toBe(`${baseUrl}/chat/completions${query}`);
  });

  it.each<[string, string]>([
    ['https://api.example/v1?key=sk-4Fh2mQx9Zr', 'use queryParams for a query, and remove any fragment'],
    ['https://api.example/v1#sk-4Fh2mQx9Zr', 'use queryParams for a query, and remove any fragment'],
    [
      'https://user:sk-4Fh2mQx9Zr@api.example',
      'it contains a user name or password; use headers or apiKey instead',
    ],
    [
      'https://sk-4Fh2mQx9Zr@api.example',
      'it contains a user name or password; use headers or apiKey instead',
    ],
    [
      'https://:sk-4Fh2mQx9Zr@api.example',
      'it contains a user name or password; use headers or apiKey instead',
    ],
    ['/sk-4Fh2mQx9Zr', 'it is not an absolute URL (relative URLs work only in browsers)'],
    ['', 'it is not an absolute URL (relative URLs work only in browsers)'],
    ['https://sk 4Fh2mQx9Zr', 'it is not an absolute URL (relative URLs work only in browsers)'],
  ])('is refused for %j, which is not quoted', (given, reason) => {
    const error = refusal({ baseUrl: given });
    expect(error.setting).toBe('baseUrl');
    expect(error.message).toBe(`The baseUrl of the provider "spec" is invalid: ${reason}.`);
    expect(`${error.stack} ${JSON.stringify(error)} ${String(error.cause)}`).not.toContain('4Fh2mQx9Zr');
  });

  const noHost = 'it has no host, or one that is not written as the URL standard parses it';

  it.each<[string, string]>([
    ['nothing after the scheme', 'https://'],
    ['nothing after the scheme, and no slashes', 'https:'],
    ['many slashes', `https:${'/'.repeat(100_000)}`],
    ['a path alone', 'https:///v1'],
    ['a scheme and a path', 'https:v1'],
    ['a single slash', 'https:/v1'],
    ['a dot', 'https://./v1'],
    ['backslashes', 'https:\\\\evil.example'],
    ['a backslash in the host', 'https://api.example\\evil.example'],
    ['a backslash before the host', 'https:/\\evil.example'],
    ['a tab in the host', 'https://api\t.example'],
    ['a line feed in the host', 'https://api.\nexample'],
    ['an empty user', 'https://@evil.example'],
    ['a percent-encoded host', 'https://api%2eexample'],
    ['full-width letters', 'https://ａｐｉ.example'],
    ['a full stop that is not ASCII', 'https://api。example'],
    ['a soft hyphen', 'https://api\u00ad.example'],
    ['a name that is not ASCII', 'https://bücher.example'],
    ['a number', 'http://2130706433'],
    ['a hexadecimal number', 'http://0x7f.1'],
    ['an octal number', 'http://0177.0.0.1'],
    ['a short IPv4 address', 'http://127.1'],
    ['an IPv4 address with a dot behind it', 'http://127.0.0.1.'],
    ['a long IPv6 address', 'http://[0:0:0:0:0:0:0:1]'],
    ['port 0', 'https://api.example:0'],
    ['an empty port', 'https://api.example:'],
    ['a port with a zero before it', 'https://api.example:08080'],
    ["the other scheme's port, with a zero before it", 'http://api.example:0080'],
  ])('is refused for %s', (_, given) => {
    expect(refusal({ baseUrl: given }).message).toBe(
      `The baseUrl of the provider "spec" is invalid: ${noHost}.`,
    );
  });

  it.each([
    'https://?x',
    'https://#',
    'https://api.example:65536',
    'https://api .example',
    'https://%00',
    'https://:8080/v1',
    'ht\ntps://api.example',
    'ftp://a',
    '//',
  ])('is refused for %j', (given) => {
    expect(refusal({ baseUrl: given }).setting).toBe('baseUrl');
  });

  it("has the host of its base, whatever the query parameters' names and values", () => {
    const queryParams = { '@evil.example/': '#?&\\\n' };
    expect(new URL(endpoint({ queryParams }).url).host).toBe('api.example');
  });

  describe('on a page', () => {
    const onPage = (href: string) =>
      Object.defineProperty(globalThis, 'location', { value: { href }, configurable: true });

    afterEach(() => {
      Reflect.deleteProperty(globalThis, 'location');
    });

    it('may be relative, and stays as it was written', () => {
      onPage('https://app.example/page?x#y');
      expect(endpoint({ baseUrl: '/api/' }).url).toBe('/api/chat/completions');
      expect(endpoint({ baseUrl: 'api' }).url).toBe('api/chat/completions');
    });

    it('may name a host without a scheme', () => {
      onPage('https://app.example/page');
      expect(endpoint({ baseUrl: '//api.example/v1' }).url).toBe('//api.example/v1/chat/completions');
    });

    it.each([
      '',
      ' ',
      '//',
      '///v1',
      '\\\\evil.example',
      '/\\evil.example',
      '/\t/evil.example',
      'https:',
      'https:v1',
    ])('is refused for %j, which has no host, or another', (given) => {
      onPage('https://app.example/page');
      expect(refusal({ baseUrl: given }).message).toContain(noHost);
    });

    it('is refused where it is none', () => {
      onPage('about:blank');
      expect(refusal({ baseUrl: '/api' }).message).toBe(
        'The baseUrl of the provider "spec" is invalid: it is not an absolute URL (relative URLs work only in browsers).',
      );
    });
  });
});

describe('the headers of an endpoint', () => {
  it('are three where there is a key, and two where there is none', () => {
    const plain = { Accept: 'text/event-stream', 'Content-Type': 'application/json' };
    expect(endpoint({}).headers).toStrictEqual(plain);
    expect(endpoint({}, 'sk-1').headers).toStrictEqual({ ...plain, Authorization: 'Bearer sk-1' });
  });

  it("hold the provider's own", () => {
    expect(
      endpoint({ headers: { 'api-key': 'k', 'X-Title': 'Ärzte', 'X-Empty': '' } }).headers,
    ).toStrictEqual({
      Accept: 'text/event-stream',
      'Content-Type': 'application/json',
      'api-key': 'k',
      'X-Title': 'Ärzte',
      'X-Empty': '',
    });
  });

  it("have the provider's in place of the library's, in whatever case", () => {
    const headers = { authorization: 'Basic abc', ACCEPT: '*/*', 'content-type': 'application/json; x=1' };
    expect(endpoint({ headers }, 'sk-1').headers).toStrictEqual(headers);
  });

  it('have the last of those that the provider names twice', () => {
    expect(endpoint({ headers: { 'X-A': '1', 'x-a': '2' } }).headers).toMatchObject({ 'x-a': '2' });
    expect(endpoint({ headers: { 'X-A': '1', 'x-a': '2' } }).headers).not.toHaveProperty('X-A');
  });

  it.each([
    'sk-4Fh2mQx9Zr\nX-Injected: 1',
    'sk-4Fh2mQx9Zr\r',
    'sk-4Fh2mQx9Zr\0',
    'sk-4Fh2mQx9Zr🔑',
    'sk-4Fh2mQx9Zr\u2013',
    'sk-4Fh2mQx9Zr\x7f',
  ])('are refused for the key %j, which is not quoted', (key) => {
    const error = refusal({}, key);
    expect(error.setting).toBe('apiKey');
    expect(error.message).toBe(
      'The apiKey of the provider "spec" is invalid: it contains a character that HTTP headers do not allow.',
    );
    expect(`${error.stack} ${JSON.stringify(error)}`).not.toContain('4Fh2mQx9Zr');
  });

  it.each<[string, Record<string, string>, string]>([
    ['a value with a line feed', { 'X-A': 'private\n' }, 'headers.X-A'],
    ['a name with a blank', { 'X A': 'private' }, 'headers'],
    ['a name with a colon', { 'Authorization: Bearer private': '' }, 'headers'],
    ['an empty name', { '': 'private' }, 'headers'],
    ['a key in the place of a name', { 'private-4Fh2mQx9Zr': 'api-key\n' }, 'headers'],
    ['the key itself in the place of a name', { 'sk-private-key': 'api-key\n' }, 'headers'],
    ['a name without end', { ['private'.repeat(100)]: '\n' }, 'headers'],
  ])('are refused for %s, which is told where it can be no secret', (_, headers, setting) => {
    const error = refusal({ headers }, 'sk-private-key');
    expect(error.setting).toBe(setting);
    expect(error.message).toBe(
      `The ${setting} of the provider "spec" is invalid: it contains a character that HTTP headers do not allow.`,
    );
  });

  it('are refused where a value is no string', () => {
    const headers: unknown = { 'X-A': undefined };
    expect(refusal({ headers: headers as Record<string, string> }).setting).toBe('headers.X-A');
  });
});
