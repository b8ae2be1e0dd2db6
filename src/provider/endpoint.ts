import { InvalidProviderError } from '../turn/errors.js';
import type { ModelProvider } from './model-provider.js';

/** Where a request goes and what it says of itself. */
export interface Endpoint {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * The URL and headers of a provider's requests. What cannot be sent is refused here, since a platform's
 * error would quote the key.
 *
 * @see docs/decisions/0005-privacy-of-errors.md
 */
export function endpointOf(provider: ModelProvider, key: string | undefined): Endpoint {
  return { url: urlOf(provider), headers: headersOf(provider, key) };
}

/**
 * The URL, whose host is the one that was written. The platform's parser finds a host where none was written
 * (`https:///v1` asks `v1`, `https://2130706433` asks `127.0.0.1`), and key and prompt would go there.
 */
function urlOf({ name, baseUrl, queryParams }: ModelProvider): string {
  const refused = (reason: string) => new InvalidProviderError(name, 'baseUrl', reason);
  const query = queryParams === undefined ? '' : new URLSearchParams(queryParams).toString();
  const address = `${withoutEndSlashes(baseUrl)}/chat/completions`;
  if (/[?#]/.test(address)) throw refused('a query belongs in queryParams, and a fragment nowhere');
  const page = (globalThis as { location?: { href: string } }).location?.href;
  let url: URL;
  let host: string | undefined;
  try {
    url = new URL(address, page);
    host = writtenHost(baseUrl.trim()) ?? new URL(page ?? '').host;
  } catch {
    throw refused('it is not a URL (relative ones work only in browsers)');
  }
  if (!/^https?:$/.test(url.protocol)) throw refused('it must begin with http:// or https://');
  if (url.username !== '' || url.password !== '')
    throw refused('it holds a user name or a password; use headers or apiKey');
  const defaultPort = url.protocol === 'https:' ? 443 : 80;
  if (![url.host, `${url.host}:${defaultPort}`].includes(host) || !/\w/.test(host) || url.port === '0')
    throw refused('it has no host, or one that the URL standard reads as another');
  return query === '' ? address : `${address}?${query}`;
}

/** In lower case; `''` where there is none, `undefined` for a path, which has the host of its page. */
function writtenHost(baseUrl: string): string | undefined {
  const [, scheme, host] = /^([a-z][a-z\d+.-]*:)?(?:\/\/([^/]*))?/i.exec(baseUrl) ?? [];
  if (scheme === undefined && host === undefined && baseUrl !== '') return undefined;
  return host?.toLowerCase() ?? '';
}

/** A loop: `/\/+$/` would try each slash of many that do not end the text. */
export function withoutEndSlashes(text: string): string {
  const trimmed = text.trim();
  let end = trimmed.length;
  while (trimmed[end - 1] === '/') end -= 1;
  return trimmed.slice(0, end);
}

function headersOf(provider: ModelProvider, key: string | undefined): Record<string, string> {
  const { name: providerName, apiKeyHeader, headers: given = {} } = provider;
  const headers: Record<string, string> = {};
  // It may be a key in the place of a name.
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
        'it holds a character that HTTP headers do not allow',
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
