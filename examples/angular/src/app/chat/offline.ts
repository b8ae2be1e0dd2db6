import { defer, fromEvent, map, takeUntil } from 'rxjs';
import { StreamError, type Transport } from 'rxjs-chat-completions';

/** Emits nothing, and errors when the browser has lost the network. */
const lostNetwork = defer(() => fromEvent(window, 'offline')).pipe(
  map(() => {
    throw new StreamError({ message: 'The browser went offline.' });
  }),
);

/**
 * Breaks an answer off when the browser says that it is offline. A connection that is dead looks like one
 * that is silent, and the idle timeout would take minutes to tell.
 */
export const breakingOffline =
  (transport: Transport): Transport =>
  (request) =>
    transport(request).pipe(
      map((response) => ({ ...response, body: response.body.pipe(takeUntil(lostNetwork)) })),
    );
