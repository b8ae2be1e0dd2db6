import { InvalidProviderError } from '../turn/errors.js';
import type { ModelProvider } from './model-provider.js';

/** The URL and headers of a request. */
export interface Endpoint {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * The URL and headers of a provider's requests. Invalid ones are rejected here, because a platform's error
 * would quote the key.
 *
 * @see docs/decisions/0005-privacy-of-errors.md
 */
export function endpointOf(provider: ModelProvider, key: string | undefined): Endpoint {
  return { url: urlOf(provider), headers: headersOf(provider, key) };
}

/**
 * The URL, whose host must be the one in `baseUrl`. The platform's parser may find another (`https:///v1` goes
 * to `v1`, `https://2130706433` to `127.0.0.1`), and the key and the prompt would be sent there.
 */
function urlOf({ name, baseUrl, queryParams }: ModelProvider): string {
  const refused = (reason: string) => new InvalidProviderError(name, 'baseUrl', reason);
  const query = queryParams === undefined ? '' : new URLSearchParams(queryParams).toString();
  const address = `${withoutEndSlashes(baseUrl)}/chat/completions`;
  if (/[?#]/.test(address)) throw refused('use queryParams for a query, and remove any fragment');
  const page = (globalThis as { location?: { href: string } }).location?.href;
  let url: URL;
  let host: string | undefined;
  try {
    url = new URL(address, page);
    host = writtenHost(baseUrl.trim()) ?? new URL(page ?? '').host;
  } catch {
    throw refused('it is not an absolute URL (relative URLs work only in browsers)');
  }
  if (!/^https?:$/.test(url.protocol)) throw refused('it must start with http:// or https://');
  if (url.username !== '' || url.password !== '')
    throw refused('it contains a user name or password; use headers or apiKey instead');
  const defaultPort = url.protocol === 'https:' ? 443 : 80;
  if (![url.host, `${url.host}:${defaultPort}`].includes(host) || !/\w/.test(host) || url.port === '0')
    throw refused('it has no host, or one that is not written as the URL standard parses it');
  return query === '' ? address : `${address}?${query}`;
}

/** In lower case; `''` if there is none, `undefined` for a path, which uses the page's host. */
function writtenHost(baseUrl: string): string | undefined {
  const [, scheme, host] = /^([a-z][a-z\d+.-]*:)?(?:\/\/([^/]*))?/i.exec(baseUrl) ?? [];
  if (scheme === undefined && host === undefined && baseUrl !== '') return undefined;
  return host?.toLowerCase() ?? '';
}

/** A loop, because `/\/+$/` would try every slash in the text. */
export function withoutEndSlashes(text: string): string {
  const trimmed = text.trim();
  let end = trimmed.length;
  while (trimmed[end - 1] === '/') end -= 1;
  return trimmed.slice(0, end);
}

function headersOf(provider: ModelProvider, key: string | undefined): Record<string, string> {
  const { name: providerName, apiKeyHeader, headers: given = {} } = provider;
  const headers: Record<string, string> = {};
  // It may be a key given instead of a name.
  const isName = (name: string) => /^[a-z-]{1,64}$/i.test(name) && (key === undefined || !name.includes(key));
  const set = (name: string, value: string, setting = isName(name) ? `headers.${name}` : 'headers') => {
    if (
      !/^[\w!#$%&'*+.^`|~-]+$/.test(name) ||
      typeof value !== 'string' ||
      !/^[\t\x20-\x7e\x80-\xff]*$/.test(value)
    )
      throw new InvalidProviderError(
        providerName,
        setting,
        'it contains a character that HTTP headers do not allow',
      );
    // Names are compared in lower case, so that the caller's `authorization` replaces ours.
    for (const other of Object.keys(headers))
      if (other.toLowerCase() === name.toLowerCase()) delete headers[other];
    headers[name] = value;
  };
  set('Accept', 'text/event-stream');
  set('Content-Type', 'application/json');
  if (key !== undefined)
    set(apiKeyHeader ?? 'Authorization', apiKeyHeader === undefined ? `Bearer ${key}` : key, 'apiKey');
  for (const [name, value] of Object.entries(given)) set(name, value);
  return headers;
}
