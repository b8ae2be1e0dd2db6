import { InvalidProviderError } from '../turn/errors.js';
import type { ModelProvider } from './model-provider.js';

/** Where a request goes and what it says of itself. */
export interface Endpoint {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * The URL and headers of a provider's requests (C1, C4). What cannot be sent is refused here, since a platform's
 * error would quote the key.
 *
 * @see docs/decisions/0005-privacy-of-errors.md
 */
export function endpointOf(provider: ModelProvider, key: string | undefined): Endpoint {
  return { url: urlOf(provider), headers: headersOf(provider, key) };
}

function urlOf({ name, baseUrl, queryParams }: ModelProvider): string {
  const refused = (reason: string) => new InvalidProviderError(name, 'baseUrl', reason);
  const query = queryParams === undefined ? '' : new URLSearchParams(queryParams).toString();
  const address = `${baseUrl.trim().replace(/\/+$/, '')}/chat/completions`;
  if (/[?#]/.test(address)) throw refused('a query belongs in queryParams, and a fragment nowhere');
  let url: URL;
  try {
    url = new URL(address, (globalThis as { location?: { href: string } }).location?.href);
  } catch {
    throw refused('it is not a URL (relative ones work only in browsers)');
  }
  if (!/^https?:$/.test(url.protocol)) throw refused('it must begin with http:// or https://');
  if (url.username !== '' || url.password !== '')
    throw refused('it holds a user name or a password; use headers or apiKey');
  return query === '' ? address : `${address}?${query}`;
}

function headersOf(provider: ModelProvider, key: string | undefined): Record<string, string> {
  const { name: providerName, apiKeyHeader, headers: given = {} } = provider;
  const headers: Record<string, string> = {};
  // A key that took a header's place is not told.
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
