import { eventLoop } from '../../src/flow/event-loop.js';

const task = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('eventLoop', () => {
  let now: number;
  beforeEach(() => {
    now = 1_000;
    jest.spyOn(Date, 'now').mockImplementation(() => now);
  });
  afterEach(() => jest.restoreAllMocks());

  /** Reads that go on for so many milliseconds, without a task in between. */
  const read = (milliseconds: number) => void (now += milliseconds);

  it('starves where reads go on for 10 ms without a task in between', () => {
    const loop = eventLoop();
    read(4);
    expect(loop.isStarving()).toBe(false);
    read(1);
    expect(loop.isStarving()).toBe(false);
    read(4);
    expect(loop.isStarving()).toBe(false);
    read(1);
    expect(loop.isStarving()).toBe(true);
    expect(loop.isStarving()).toBe(true);
  });

  it('starves no more once a task has run', async () => {
    const loop = eventLoop();
    for (let round = 0; round < 3; round += 1) {
      read(5);
      expect(loop.isStarving()).toBe(false);
      read(5);
      expect(loop.isStarving()).toBe(true);
      await new Promise<void>((resolve) => loop.nextTask(resolve));
      expect(loop.isStarving()).toBe(false);
    }
  });

  it('never starves where tasks run between the reads', async () => {
    const loop = eventLoop();
    for (let round = 0; round < 10; round += 1) {
      read(25);
      expect(loop.isStarving()).toBe(false);
      await task();
    }
  });

  it.each([-3_600_000, -1, 3_600_000, NaN])(
    'is starving at the second read after the clock was set by %d ms',
    (step) => {
      const loop = eventLoop();
      read(step);
      expect(loop.isStarving()).toBe(false);
      read(step);
      expect(loop.isStarving()).toBe(true);
    },
  );

  it('posts a task for every 5 ms at most', () => {
    const post = jest.spyOn(globalThis, 'setImmediate').mockImplementation((() => undefined) as never);
    const loop = eventLoop();
    for (let count = 0; count < 100; count += 1) {
      read(1);
      loop.isStarving();
    }
    expect(post).toHaveBeenCalledTimes(1);
  });

  it.each([
    ['a message, not a timer, where there are messages', {}, 0],
    ['a timer where there are none', { MessageChannel: undefined }, 1],
  ])('takes %s', async (_, missing, timers) => {
    const platform = globalThis as unknown as Record<string, unknown>;
    const { setImmediate: kept, MessageChannel: messages } = globalThis;
    Object.assign(platform, { setImmediate: undefined, ...missing });
    const setTimer = jest.spyOn(globalThis, 'setInterval');
    try {
      await new Promise<void>((resolve) => eventLoop().nextTask(resolve));
      expect(setTimer).toHaveBeenCalledTimes(timers);
    } finally {
      Object.assign(platform, { setImmediate: kept, MessageChannel: messages });
    }
  });

  it.each([
    ['setImmediate', {}],
    ['messages', { setImmediate: undefined }],
    ['timers alone', { setImmediate: undefined, MessageChannel: undefined }],
  ])('runs work in a task of its own on a platform with %s', async (_, missing) => {
    const platform = globalThis as unknown as Record<string, unknown>;
    const kept = Object.fromEntries(Object.keys(missing).map((name) => [name, platform[name]]));
    Object.assign(platform, missing);
    try {
      const order: string[] = [];
      const done = new Promise<void>((resolve) =>
        eventLoop().nextTask(() => {
          order.push('task');
          resolve();
        }),
      );
      order.push('now');
      for (let count = 0; count < 100; count += 1) await Promise.resolve();
      order.push('microtasks');
      await done;
      expect(order).toEqual(['now', 'microtasks', 'task']);
    } finally {
      Object.assign(platform, kept);
    }
  });
});
