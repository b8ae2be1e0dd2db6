import { createClient } from '@redis/client';
import fc from 'fast-check';
import { asapScheduler, concatMap, delay, from, lastValueFrom, of, toArray } from 'rxjs';
import type { ResponseEvent } from '../../src/index.js';
import { redisLog } from '../../src/redis/index.js';
import { type Logged, sharedTurns } from '../../src/shared/index.js';
import { describeWithRedis, startRedis } from '../support/redis-server.js';

const event = fc.oneof(
  fc.string({ unit: 'binary', minLength: 1 }).map((text): ResponseEvent => ({
    type: 'output_item_done',
    item: { type: 'message', role: 'assistant', content: [{ type: 'output_text', text }] },
  })),
  fc.string({ minLength: 1 }).map((text): ResponseEvent => ({
    type: 'output_item_done',
    item: { type: 'reasoning', content: [{ type: 'reasoning_text', text }] },
  })),
  fc.tuple(fc.nat(2), fc.string({ minLength: 1 })).map(([index, delta]): ResponseEvent => ({
    type: 'function_call_arguments_delta',
    index,
    callId: `call_${index}`,
    name: 'weather',
    delta,
  })),
);

const completed: ResponseEvent = { type: 'completed', responseId: 'r', finishReason: 'stop', usage: null };

/** Events without their ids, runs of deltas of one kind as one. */
const joined = (events: readonly (ResponseEvent | Logged)[]): readonly unknown[] => {
  const all: [kind: string, text: string][] = [];
  for (const each of events) {
    const [kind, text] =
      each.type === 'function_call_arguments_delta'
        ? [`${each.type} ${each.index} ${each.callId}`, each.delta]
        : each.type === 'output_item_done' && 'content' in each.item
          ? [each.item.type, JSON.stringify(each.item.content)]
          : [each.type, ''];
    const words = kind === 'message' || kind === 'reasoning' ? textOf(text) : text;
    const last = all.at(-1);
    if (last?.[0] === kind) last[1] += words;
    else all.push([kind, words]);
  }
  return all;
};

const textOf = (content: string): string =>
  (JSON.parse(content) as readonly { readonly text: string }[]).map(({ text }) => text).join('');

describeWithRedis('followers of redisLog()', () => {
  it('are given exactly what the runner was, runs of deltas joined, from every place', async () => {
    const server = await startRedis();
    const client = createClient({ socket: { path: server.path, tls: false } });
    await client.connect();
    const [one, other] = [sharedTurns(redisLog(client)), sharedTurns(redisLog(client))];
    let turns = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(event, fc.boolean()), { maxLength: 30 }), async (script) => {
        const id = `turn ${(turns += 1)}`;
        const source = from([...script, [completed, false] as const]).pipe(
          // Some at once, some later: so are they written, several to an entry and one by one.
          concatMap(([each, isLater]) => (isLater ? of(each).pipe(delay(0, asapScheduler)) : of(each))),
        );
        const running = lastValueFrom(one.run(id, () => source).pipe(toArray()));
        const given = await running;
        expect(joined(given)).toEqual(joined([...script.map(([each]) => each), completed]));
        for (const after of ['', ...given.map((each) => each.id)]) {
          const place = given.findIndex((each) => each.id === after);
          const followed = await lastValueFrom(other.follow(id, { after }).pipe(toArray()));
          expect(joined(followed)).toEqual(joined(given.slice(place + 1)));
          expect(followed.at(-1)?.id).toBe(place + 1 === given.length ? undefined : given.at(-1)?.id);
        }
      }),
      { numRuns: 30 },
    );
    await Promise.all([one.close(), other.close()]);
    client.destroy();
    await server.close();
  });
});
