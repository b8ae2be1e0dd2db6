import { TransportError } from '../turn/errors.js';

const redirects: readonly number[] = [301, 302, 303, 307, 308];

export const isRedirectStatus = (status: number): boolean => redirects.includes(status);

/** Following a redirect would send the prompt, and keys in headers, to an address that nobody configured. */
export const refusedRedirect = (): TransportError =>
  new TransportError({
    message: 'The provider returned a redirect, which is not followed. Set the base URL to its target.',
    retryable: false,
  });
