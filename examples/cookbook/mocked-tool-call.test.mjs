// node --test mocked-tool-call.test.mjs
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { from, lastValueFrom, toArray } from 'rxjs';
import { runTools, textDeltas, tool } from 'rxjs-chat-completions';
import { toolCallEvents, turnOf } from 'rxjs-chat-completions/testing';

// Under test: an application's own tool, and how the application handles a run. Needs no server and no key.
const weather = tool({
  name: 'weather',
  input: { type: 'object', properties: { city: { type: 'string' } } },
  execute: ({ city }) => `Sunny in ${city}.`,
});

test('the model gets what the tool returned', async () => {
  const prompts = [];
  const turns = [
    turnOf(toolCallEvents({ name: 'weather', arguments: { city: 'Rome' } })),
    turnOf('It is sunny.'),
  ];
  const turn = (prompt, step) => {
    prompts.push(prompt);
    return from(turns[step - 1]);
  };

  const texts = await lastValueFrom(
    runTools('How is the weather in Rome?', { turn, tools: [weather] }).pipe(textDeltas(), toArray()),
  );

  assert.equal(prompts[1].input.at(-1).output, 'Sunny in Rome.');
  assert.deepEqual(texts, ['It is sunny.']);
});
