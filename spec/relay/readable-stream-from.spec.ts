import { concat, from, NEVER, Observable, of, Subject, tap, throwError } from 'rxjs';
import { Demand, turnDemand } from '../../src/flow/demand.js';
import { readableStreamFrom } from '../../src/relay/readable-stream-from.js';

/** Counts subscriptions and unsubscriptions. */
function watched<T>(source: Observable<T>) {
  const seen = { subscribed: 0, unsubscribed: 0 };
  const observable = new Observable<T>((subscriber) => {
    seen.subscribed += 1;
    subscriber.add(() => (seen.unsubscribed += 1));
    return source.subscribe(subscriber);
  });
  return { observable, seen };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

/** Whether a turn with this demand may make its next read now. */
function mayRead(demand: Demand): boolean {
  let may = false;
  turnDemand(demand, { now: () => 0, schedule: () => of().subscribe() })
    .ask()
    .subscribe(() => (may = true))
    .unsubscribe();
  return may;
}

describe('readableStreamFrom', () => {
  it('gives the values in order, and closes', async () => {
    const reader = readableStreamFrom(of(1, 2, 3)).getReader();
    expect([await reader.read(), await reader.read(), await reader.read(), await reader.read()]).toEqual([
      { done: false, value: 1 },
      { done: false, value: 2 },
      { done: false, value: 3 },
      { done: true, value: undefined },
    ]);
  });

  it('makes UTF-8 of strings, of characters that are split over two as well', async () => {
    const body = readableStreamFrom(of('Grüße, ', '\ud83d', '\ude00'));
    expect(await new Response(body).text()).toBe('Grüße, 😀');
  });

  it('passes bytes as they are', async () => {
    const bytes = new Uint8Array([1, 2]);
    const { value } = await readableStreamFrom(of(bytes)).getReader().read();
    expect(value).toBe(bytes);
  });

  it('subscribes at the first read, and each stream by itself', async () => {
    const { observable, seen } = watched(concat(of('a'), NEVER));
    const stream = readableStreamFrom(observable);
    const other = readableStreamFrom(observable);
    await settled();
    expect(seen).toEqual({ subscribed: 0, unsubscribed: 0 });
    await stream.getReader().read();
    expect(seen).toEqual({ subscribed: 1, unsubscribed: 0 });
    await other.cancel();
    expect(seen).toEqual({ subscribed: 1, unsubscribed: 0 });
  });

  it('unsubscribes where it is cancelled, a read that waits included', async () => {
    const { observable, seen } = watched(NEVER);
    const reader = readableStreamFrom(observable).getReader();
    const pending = reader.read();
    await settled();
    await reader.cancel();
    expect(await pending).toEqual({ done: true, value: undefined });
    expect(seen).toEqual({ subscribed: 1, unsubscribed: 1 });
  });

  it('errors once all that came before the error was read', async () => {
    const broken = new Error('broken');
    const reader = readableStreamFrom(
      concat(
        of('a', 'b'),
        throwError(() => broken),
      ),
    ).getReader();
    expect(await reader.read()).toMatchObject({ done: false });
    await settled();
    expect(await reader.read()).toMatchObject({ done: false });
    await expect(reader.read()).rejects.toBe(broken);
  });

  it('holds the demand while highWaterMark values wait, and no longer', async () => {
    const demand = new Demand();
    const source = new Subject<number>();
    const reader = readableStreamFrom(source, { demand, highWaterMark: 2 }).getReader();
    const first = reader.read();
    await settled();
    source.next(1);
    expect(await first).toEqual({ done: false, value: 1 });
    source.next(2);
    expect(mayRead(demand)).toBe(true);
    source.next(3);
    expect(mayRead(demand)).toBe(false);
    source.next(4);
    await reader.read();
    expect(mayRead(demand)).toBe(false);
    await reader.read();
    expect(mayRead(demand)).toBe(true);
  });

  it.each(['complete', 'error', 'cancel'] as const)(
    'lets go of the demand at the end, by %s',
    async (end) => {
      const demand = new Demand();
      const source = new Subject<number>();
      const stream = readableStreamFrom(source, { demand, highWaterMark: 1 });
      const reader = stream.getReader();
      const first = reader.read();
      await settled();
      source.next(1);
      await first;
      source.next(2);
      expect(mayRead(demand)).toBe(false);
      if (end === 'complete') source.complete();
      else if (end === 'error') source.error(new Error('broken'));
      else await reader.cancel();
      expect(mayRead(demand)).toBe(true);
    },
  );

  it('keeps all that comes where there is no demand', async () => {
    let emitted = 0;
    const many = Array.from({ length: 3_000 }, (_value, index) => index);
    const reader = readableStreamFrom(from(many).pipe(tap(() => (emitted += 1)))).getReader();
    await reader.read();
    expect(emitted).toBe(3_000);
    const rest: unknown[] = [];
    while (rest.length < many.length - 1) rest.push((await reader.read()).value);
    expect(rest).toEqual(many.slice(1));
  });

  it.each([0, -1, Number.NaN])('refuses a highWaterMark of %d', (highWaterMark) => {
    expect(() => readableStreamFrom(of(1), { highWaterMark })).toThrow(TypeError);
  });
});
