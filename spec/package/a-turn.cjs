// What a user does first, told to throw where the package does anything else. Run from ESM and from CJS.
const assert = require('node:assert/strict');
const { firstValueFrom, lastValueFrom, toArray } = require('rxjs');

const provider = { name: 'local', baseUrl: 'http://127.0.0.1/v1' };
const chunk = (content) =>
  `data: ${JSON.stringify({ id: 'r1', choices: [{ index: 0, delta: { content } }] })}\n\n`;
const stream = [chunk('Hel'), chunk('lo'), 'data: [DONE]\n\n'];

/** A turn over the scripted transport, aggregated. */
async function scripted({ streamChatCompletions, aggregate, UnexpectedStatusError }, { scriptedTransport }) {
  const transport = scriptedTransport({ body: stream }, { status: 401 });
  const options = { model: 'm', provider, transport };

  const events = await lastValueFrom(streamChatCompletions('Hi', options).pipe(aggregate(), toArray()));
  assert.deepEqual(
    events.map(({ type, item }) => [type, item?.content[0].text]),
    [
      ['output_item_done', 'Hello'],
      ['completed', undefined],
    ],
  );
  assert.equal(transport.requests[0].url, 'http://127.0.0.1/v1/chat/completions');
  await assert.rejects(firstValueFrom(streamChatCompletions('Hi', options)), UnexpectedStatusError);
}

/** A turn over the default transport and a real connection. */
async function overHttp({ streamChatCompletions, textDeltas }, { startMockProvider }) {
  const mock = await startMockProvider({ answers: [{ status: 503 }, { content: ['Hel', 'lo'] }] });
  try {
    const turn = streamChatCompletions('Hi', {
      model: 'm',
      provider: { name: 'mock', baseUrl: mock.baseUrl },
      retry: { initialDelay: 1 },
    });
    assert.deepEqual(await lastValueFrom(turn.pipe(textDeltas(), toArray())), ['Hel', 'lo']);
    assert.equal(mock.requests.length, 2);
  } finally {
    await mock.close();
  }
}

/** A turn that is traced with a tracer of the API alone. */
async function spanned({ streamChatCompletions, textDeltas }, { scriptedTransport }, { traced, traceTurn }) {
  const started = [];
  const { trace, INVALID_SPAN_CONTEXT } = require('@opentelemetry/api');
  const tracer = { startSpan: (name) => (started.push(name), trace.wrapSpanContext(INVALID_SPAN_CONTEXT)) };
  const options = { model: 'm', provider, transport: scriptedTransport({ body: stream }, { body: stream }) };
  const alone = streamChatCompletions('Hi', traced(options, { tracer }));
  const whole = traceTurn({ tracer }, (each) => streamChatCompletions('Hi', each(options)));
  for (const turn of [alone, whole])
    assert.deepEqual(await lastValueFrom(turn.pipe(textDeltas(), toArray())), ['Hel', 'lo']);
  assert.deepEqual(started, ['chat m', 'chat m']);
}

/** An answer in JSON, shown while it comes and validated at its end. */
async function structured(
  { streamChatCompletions },
  { scriptedTransport },
  { jsonFormat, partialJson, toJson },
) {
  const jsonSchema = { type: 'object', properties: { a: { type: 'string' } }, required: ['a'] };
  const body = [chunk('{"a":"Hel'), chunk('lo"}'), 'data: [DONE]\n\n'];
  const transport = scriptedTransport({ body }, { body });
  const turn = streamChatCompletions('Hi', {
    model: 'm',
    provider,
    transport,
    responseFormat: jsonFormat(jsonSchema),
  });
  const partial = await lastValueFrom(turn.pipe(partialJson(), toArray()));
  assert.deepEqual(partial, [{ a: 'Hel' }, { a: 'Hello' }]);
  const validate = ({ a }) => a;
  assert.equal(await lastValueFrom(turn.pipe(toJson({ validate, jsonSchema }))), 'Hello');
  assert.equal(JSON.parse(transport.requests[0].body).response_format.json_schema.strict, true);
}

/** A turn that two follow, over a log in memory; and a log in Redis, over a client that has no Redis. */
async function shared({ textDeltas }, { turnOf }, { sharedTurns, memoryLog }, { redisLog, RedisLogError }) {
  const turns = sharedTurns(memoryLog());
  const texts = (events) => lastValueFrom(events.pipe(textDeltas(), toArray()));
  assert.deepEqual(await texts(turns.run('a', () => turnOf('Hel', 'lo'))), ['Hel', 'lo']);
  assert.deepEqual(await texts(turns.follow('a')), ['Hello']);
  await turns.close();

  const client = { sendCommand: () => Promise.reject(new Error('no Redis')) };
  const log = redisLog(client, { reader: client });
  await assert.rejects(lastValueFrom(log.claim('a', { id: '1-0', data: 'c' }, 1_000)), RedisLogError);
}

const loaded = (name) => Object.keys(require.cache).some((file) => file.split(/[\\/]/).includes(name));

module.exports = { scripted, overHttp, shared, spanned, structured, loaded };
