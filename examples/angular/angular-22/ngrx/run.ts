// A store with a conversation, in an application's injector without a browser.
import '@angular/compiler';
import assert from 'node:assert/strict';
import { setTimeout as wait } from 'node:timers/promises';
import {
  createEnvironmentInjector,
  createPlatformFactory,
  type EnvironmentInjector,
  PLATFORM_ID,
  platformCore,
} from '@angular/core';
import { concat, NEVER, of } from 'rxjs';
import { streamChatCompletions } from 'rxjs-chat-completions';
import { provideChat } from 'rxjs-chat-completions/angular';
import {
  type ScriptedAnswer,
  scriptedTransport,
  textChunk,
  turnOf,
  wireOf,
} from 'rxjs-chat-completions/testing';
import { checks } from '../../../../scripts/checks.mjs';
import { SupportStore } from './support-store.ts';

const platform = createPlatformFactory(platformCore, 'ngrx', [])();
const provider = { name: 'p', baseUrl: 'https://provider.example/v1' };
const { check, finish } = checks();

/** A store, and its provider that gives the scripted answers. */
function start(...answers: readonly ScriptedAnswer[]) {
  const transport = scriptedTransport(...answers);
  const injector = createEnvironmentInjector(
    [
      { provide: PLATFORM_ID, useValue: 'browser' },
      provideChat({
        turn: (prompt) => streamChatCompletions(prompt, { model: 'm', provider, transport }),
      }),
      SupportStore,
    ],
    platform.injector as EnvironmentInjector,
  );
  const store = injector.get(SupportStore);
  const texts = () => store.messages().map(({ role, text }) => `${role}: ${text}`);
  return { store, texts, transport, destroy: () => injector.destroy() };
}

async function until(what: () => boolean): Promise<void> {
  for (let tries = 0; !what(); tries += 1) {
    assert.ok(tries < 2_000, `Waited in vain: ${what}`);
    await wait(5);
  }
}

const whole = (text: string) => ({ body: wireOf(turnOf(text)) });
const held = (text: string) => ({ body: concat(of(textChunk(text)), NEVER) });
const sent = (body: unknown) => (body as { messages: { role: string; content: string }[] }).messages;

await check('the state of a store becomes a question, and its answer a signal of the store', async () => {
  const { store, texts, transport } = start(whole('Hello.'));
  assert.equal(store.canSend(), false);
  store.write('Hi');
  assert.equal(store.canSend(), true);
  store.sendDraft();
  assert.equal(store.draft(), '');
  await until(() => !store.isAnswering());
  assert.deepEqual(texts(), ['user: Hi', 'assistant: Hello.']);
  assert.deepEqual(sent(JSON.parse(transport.requests[0]?.body ?? '')), [
    { role: 'system', content: 'You help with our products.' },
    { role: 'user', content: 'Hi' },
  ]);
});

await check('a stop keeps what has come, and the next answer is awaited anew', async () => {
  const { store, texts, transport } = start(held('Hel'), whole('Hello.'));
  store.send('Hi');
  await until(() => texts()[1] === 'assistant: Hel');
  store.write('And?');
  assert.equal(store.canSend(), false);
  store.stop();
  assert.equal(store.canSend(), true);
  assert.equal(transport.aborted, 1);
  store.regenerate();
  await until(() => !store.isAnswering());
  assert.deepEqual(texts(), ['user: Hi', 'assistant: Hello.']);
});

await check('an error is a signal, an edited question clears it, and clear() begins anew', async () => {
  const { store, texts } = start({ status: 401 }, whole('Hello.'));
  store.send('Hi');
  await until(() => store.error() !== undefined);
  assert.equal(store.error()?.name, 'UnexpectedStatusError');
  store.edit(store.messages()[0]?.id ?? '', 'Good morning');
  assert.equal(store.error(), undefined);
  await until(() => !store.isAnswering());
  assert.deepEqual(texts(), ['user: Good morning', 'assistant: Hello.']);
  store.clear();
  assert.deepEqual(texts(), []);
});

await check('the request ends with the store', async () => {
  const { store, texts, transport, destroy } = start(held('Hel'));
  store.send('Hi');
  await until(() => texts()[1] === 'assistant: Hel');
  destroy();
  assert.equal(transport.aborted, 1);
});

platform.destroy();
finish();
