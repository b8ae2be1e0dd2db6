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
  const query = queryParams === undefined ? '' : new URLSearchParams(queryParams).toString();
  const address = `${baseUrl.trim().replace(/\/+$/, '')}/chat/completions`;
  if (/[?#]/.test(address)) {
    throw new InvalidProviderError(name, 'baseUrl', 'a query belongs in queryParams, and a fragment nowhere');
  }
  const base = (globalThis as { location?: { href: string } }).location?.href;
  let url: URL;
  try {
    url = new URL(address, base);
  } catch {
    throw new InvalidProviderError(
      name,
      'baseUrl',
      base === undefined ? 'it is no absolute URL, and relative ones are for browsers' : 'it is no URL',
    );
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new InvalidProviderError(name, 'baseUrl', 'it must begin with http:// or https://');
  }
  if (url.username !== '' || url.password !== '') {
    throw new InvalidProviderError(
      name,
      'baseUrl',
      'it holds a user name or a password; use headers or apiKey',
    );
  }
  return query === '' ? address : `${address}?${query}`;
}

function headersOf(provider: ModelProvider, key: string | undefined): Record<string, string> {
  const headers: Record<string, string> = {};
  // Names are compared in lower case, so that the caller's `authorization` replaces ours.
  const names = new Map<string, string>();
  const set = (name: string, value: string, setting: string) => {
    if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name)) {
      throw new InvalidProviderError(provider.name, setting, 'the name is no HTTP header name');
    }
    if (typeof value !== 'string' || !/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) {
      throw new InvalidProviderError(
        provider.name,
        setting,
        'it holds a character that HTTP headers do not allow',
      );
    }
    const before = names.get(name.toLowerCase());
    if (before !== undefined) delete headers[before];
    names.set(name.toLowerCase(), name);
    headers[name] = value;
  };
  set('Accept', 'text/event-stream', 'headers.Accept');
  set('Content-Type', 'application/json', 'headers.Content-Type');
  const { apiKeyHeader } = provider;
  if (key !== undefined && apiKeyHeader === undefined) set('Authorization', `Bearer ${key}`, 'apiKey');
  if (key !== undefined && apiKeyHeader !== undefined) set(apiKeyHeader, key, 'apiKey');
  for (const [name, value] of Object.entries(provider.headers ?? {})) set(name, value, `headers.${name}`);
  return headers;
}
