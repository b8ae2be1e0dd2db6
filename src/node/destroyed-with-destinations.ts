import { createRequire } from 'node:module';
import type { Readable } from 'node:stream';

/** See {@link nodeTransport}: an ECMAScript import reads every export of a module of Node's. */
const load = /* @__PURE__ */ createRequire(process.execPath);

type Destination = Parameters<Readable['pipe']>[0];

/** What a destination may tell of itself. Those of HTTP/2 have a `stream` in place of `destroyed`. */
interface State {
  readonly destroyed?: boolean;
  readonly writable?: boolean;
  readonly writableEnded?: boolean;
  readonly stream?: { readonly destroyed?: boolean };
}

/**
 * Makes `pipe()` destroy a stream with its last destination, as `pipeline()` does: where that closes, errors or ends first.
 * Node's own only stops reading, and what is read stays open for ever.
 *
 * A destination that `unpipe()` removed no longer counts, and of several the stream outlives all but the last.
 */
export function destroyedWithDestinations(readable: Readable): Readable {
  const { errorMonitor } = load('node:events') as typeof import('node:events');
  const pipe: Readable['pipe'] = readable.pipe.bind(readable);
  /** How often the stream is piped to each. */
  const destinations = new Map<Destination, number>();

  function watch(destination: Destination): void {
    const lose = () => {
      forget();
      if (destinations.size === 0) readable.destroy();
    };
    const unpiped = (source: unknown) => {
      if (source !== readable) return;
      const left = (destinations.get(destination) ?? 0) - 1;
      if (left > 0) destinations.set(destination, left);
      else forget();
    };
    const forget = () => {
      destinations.delete(destination);
      destination.off('close', lose).off('finish', lose).off(errorMonitor, lose).off('unpipe', unpiped);
    };
    // First, since Node's own listeners unpipe. The monitor leaves an error unhandled that nobody else handles.
    destination.prependListener('close', lose).prependListener('finish', lose);
    destination.on(errorMonitor, lose).on('unpipe', unpiped);
  }

  // Node leaves the listeners of a stream that fails on its destination, which may outlive it.
  readable.once('close', () => readable.unpipe());
  readable.pipe = (destination, options) => {
    if (!isWritable(destination)) {
      if (destinations.size === 0) readable.destroy();
      return destination;
    }
    const times = destinations.get(destination) ?? 0;
    destinations.set(destination, times + 1);
    if (times === 0) watch(destination);
    return pipe(destination, options);
  };
  return readable;
}

/** Whether a destination is still open: one that is not tells nothing any more. */
function isWritable(destination: Destination): boolean {
  const { destroyed, writable, writableEnded, stream } = destination as State;
  return destroyed !== true && writable !== false && writableEnded !== true && stream?.destroyed !== true;
}
