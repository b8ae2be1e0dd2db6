import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { concat, NEVER, Observable, of, throwError } from 'rxjs';
import { nodeReadableFrom } from '../../src/node/index.js';

function watched<T>(source: Observable<T>) {
  const seen = { subscribed: 0, unsubscribed: 0 };
  const observable = new Observable<T>((subscriber) => {
    seen.subscribed += 1;
    subscriber.add(() => (seen.unsubscribed += 1));
    return source.subscribe(subscriber);
  });
  return { observable, seen };
}

describe('nodeReadableFrom', () => {
  it('gives the values in order, and ends', async () => {
    const values: unknown[] = [];
    for await (const value of nodeReadableFrom(of({ a: 1 }, 7, new Uint8Array([1])))) values.push(value);
    expect(values).toEqual([{ a: 1 }, 7, new Uint8Array([1])]);
  });

  it('makes buffers of strings, of characters that are split over two as well', async () => {
    const chunks: Buffer[] = [];
    for await (const chunk of nodeReadableFrom(of('ü', '\ud83d', '\ude00'))) chunks.push(chunk as Buffer);
    expect(chunks.map((chunk) => chunk.toString())).toEqual(['ü', '😀']);
  });

  it('subscribes at the first read', async () => {
    const { observable, seen } = watched(concat(of('a'), NEVER));
    const readable = nodeReadableFrom(observable);
    await new Promise(setImmediate);
    expect(seen).toEqual({ subscribed: 0, unsubscribed: 0 });
    const [chunk] = (await once(readable, 'data')) as [Buffer];
    expect(chunk.toString()).toBe('a');
    readable.destroy();
    await once(readable, 'close');
    expect(seen).toEqual({ subscribed: 1, unsubscribed: 1 });
  });

  it('never subscribes where it is destroyed before it is read', async () => {
    const { observable, seen } = watched(of('a'));
    const readable = nodeReadableFrom(observable);
    readable.destroy();
    await once(readable, 'close');
    expect(seen).toEqual({ subscribed: 0, unsubscribed: 0 });
  });

  it('unsubscribes where it is destroyed with an error, which is its own then', async () => {
    const { observable, seen } = watched(concat(of('a'), NEVER));
    const readable = nodeReadableFrom(observable);
    await once(readable, 'data');
    readable.destroy(new Error('enough'));
    await expect(once(readable, 'close')).rejects.toThrow('enough');
    expect(seen).toEqual({ subscribed: 1, unsubscribed: 1 });
  });

  it('is destroyed with the error of the source, once all that came before it was read', async () => {
    const source = concat(
      of(1, 2, 3),
      throwError(() => new Error('broken')),
    );
    const values: unknown[] = [];
    const read = async () => {
      for await (const value of nodeReadableFrom(source)) values.push(value);
    };
    await expect(read()).rejects.toThrow('broken');
    expect(values).toEqual([1, 2, 3]);
  });

  describe('as the answer of a server', () => {
    async function serving(source: Observable<string>) {
      const outcomes: unknown[] = [];
      const server = createServer((_request, response) => {
        pipeline(nodeReadableFrom(source), response).then(
          () => outcomes.push('finished'),
          (error: unknown) => outcomes.push(error),
        );
      });
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      const close = async () => {
        server.closeAllConnections();
        server.close();
        await once(server, 'close');
      };
      return { url: `http://127.0.0.1:${port}`, outcomes, close };
    }

    it('is written to its end', async () => {
      const { url, outcomes, close } = await serving(of('Hel', 'lo'));
      expect(await (await fetch(url)).text()).toBe('Hello');
      await close();
      expect(outcomes).toEqual(['finished']);
    });

    it('unsubscribes where the client leaves', async () => {
      const left = new Promise<void>((resolve) => {
        const source = new Observable<string>((subscriber) => {
          subscriber.next('Hel');
          return resolve;
        });
        void serving(source).then(async ({ url, close }) => {
          const controller = new AbortController();
          const { body } = await fetch(url, { signal: controller.signal });
          await body?.getReader().read();
          controller.abort();
          await left;
          await close();
        });
      });
      await left;
    });
  });

  it.each([0, -1, Number.NaN])('refuses a highWaterMark of %d', (highWaterMark) => {
    expect(() => nodeReadableFrom(of(1), { highWaterMark })).toThrow(TypeError);
  });
});
