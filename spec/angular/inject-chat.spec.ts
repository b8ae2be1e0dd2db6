import { effect, inject, InjectionToken, NgZone, signal } from '@angular/core';
import { asyncScheduler, concat, defer, NEVER, of, throwError } from 'rxjs';
import { type Chat, type ChatMessage, injectChat, provideChat } from '../../src/angular/index.js';
import type { Prompt } from '../../src/prompt/prompt.js';
import { runTools } from '../../src/run/run-tools.js';
import { tool } from '../../src/run/tool.js';
import { idleRunState } from '../../src/run/to-run-state.js';
import { ApplicationError, StreamError } from '../../src/turn/errors.js';
import type { ResponseEvent } from '../../src/turn/events.js';
import { startApplication } from '../support/angular.js';
import { completed, text } from '../support/events.js';
import { testScheduler } from '../support/marbles.js';
import { asked, call, called } from '../support/runs.js';

const events: Record<string, ResponseEvent> = {
  a: text('Hel'),
  b: text('lo'),
  c: completed(),
  x: called(call('x')),
  d: asked(),
};

/** Who said what, and how the last answer stands. */
const shown = (chat: Chat): string =>
  [...chat.messages().map(({ role, text }) => `${role}: ${text}`), chat.state().status].join(' | ');

/** Does something in virtual time. */
const at = (frame: number, work: () => void): void => void asyncScheduler.schedule(work, frame);

const textsOf = ({ input }: Prompt): readonly string[] =>
  input.map((item) => {
    if (item.type !== 'message') return item.type ?? 'message';
    const content = item.content as readonly { readonly text?: string }[];
    return `${item.role}: ${content.map((part) => part.text).join('')}`;
  });

describe('injectChat()', () => {
  it('shows a question, and its answer as it comes', () => {
    testScheduler().run(({ cold, expectSubscriptions, flush }) => {
      const source = cold('-a--b-(c|)', events);
      const chat = startApplication().run(() => injectChat({ turn: () => source, coalesce: 0 }));
      const seen: string[] = [];
      expect(shown(chat)).toBe('idle');
      at(0, () => chat.send('Hi'));
      for (const frame of [0, 2, 5, 7]) at(frame, () => seen.push(shown(chat)));
      expectSubscriptions(source.subscriptions).toBe('^-----!');
      flush();
      expect(seen).toEqual([
        'user: Hi | assistant:  | waiting',
        'user: Hi | assistant: Hel | streaming',
        'user: Hi | assistant: Hello | streaming',
        'user: Hi | assistant: Hello | completed',
      ]);
      expect(chat.isAnswering()).toBe(false);
    });
  });

  it('has the question there before anything of the answer is awaited, and tells that it answers', () => {
    testScheduler().run(({ cold }) => {
      const chat = startApplication().run(() => injectChat({ turn: () => cold('-'), coalesce: 0 }));
      chat.send('Hi');
      expect(shown(chat)).toBe('user: Hi | assistant:  | waiting');
      expect(chat.isAnswering()).toBe(true);
    });
  });

  it('changes its signals once per `coalesce`, whatever comes meanwhile', () => {
    testScheduler().run(({ cold, flush }) => {
      const source = cold('-aaaaaaaaaaaaaaaaaaaa(c|)', events);
      const chat = startApplication().run(() => injectChat({ turn: () => source, coalesce: 10 }));
      at(0, () => chat.send('Hi'));
      const messages = new Set<unknown>();
      for (let frame = 0; frame < 30; frame += 1) at(frame, () => messages.add(chat.messages()));
      flush();
      // Waiting, the first event, two times ten, the end.
      expect(messages.size).toBeLessThanOrEqual(5);
      expect(shown(chat)).toBe(`user: Hi | assistant: ${'Hel'.repeat(20)} | completed`);
    });
  });

  it('asks with the conversation so far, and the instructions first', () => {
    const prompts: Prompt[] = [];
    const chat = startApplication().run(() =>
      injectChat({
        instructions: 'Be short.',
        coalesce: 0,
        turn: (prompt) => {
          prompts.push(prompt);
          return of(text('Hello'), completed());
        },
      }),
    );
    chat.send('Hi');
    chat.send('And you?');
    expect(prompts.map(({ instructions }) => instructions)).toEqual(['Be short.', 'Be short.']);
    expect(prompts.map(textsOf)).toEqual([['user: Hi'], ['user: Hi', 'assistant: Hello', 'user: And you?']]);
  });

  it('keeps messages that do not change the same objects', () => {
    const chat = startApplication().run(() =>
      injectChat({ turn: () => of(text('Hello'), completed()), coalesce: 0 }),
    );
    chat.send('Hi');
    const [question, answer] = chat.messages();
    chat.send('Again');
    expect(chat.messages()[0]).toBe(question);
    expect(chat.messages()[1]).toBe(answer);
    expect(new Set(chat.messages().map(({ id }) => id)).size).toBe(4);
  });

  it('stops: the request is aborted, what has come is kept, and goes back with the next question', () => {
    testScheduler().run(({ cold, expectSubscriptions, flush }) => {
      const prompts: Prompt[] = [];
      const first = cold('-a------', events);
      const second = cold('-(bc|)', events);
      const turns = [first, second];
      const chat = startApplication().run(() =>
        injectChat({
          coalesce: 0,
          turn: (prompt) => {
            prompts.push(prompt);
            return turns.shift() ?? of();
          },
        }),
      );
      at(0, () => chat.send('Hi'));
      at(3, () => {
        chat.stop();
        expect(shown(chat)).toBe('user: Hi | assistant: Hel | stopped');
        expect(chat.isAnswering()).toBe(false);
      });
      at(5, () => chat.send('Go on'));
      expectSubscriptions(first.subscriptions).toBe('^--!');
      expectSubscriptions(second.subscriptions).toBe('-----^!');
      flush();
      expect(textsOf(prompts[1] as Prompt)).toEqual(['user: Hi', 'assistant: Hel', 'user: Go on']);
    });
  });

  it('stops an answer for the next question, and keeps it', () => {
    testScheduler().run(({ cold, expectSubscriptions, flush }) => {
      const first = cold('-a------', events);
      const second = cold('-(bc|)', events);
      const turns = [first, second];
      const chat = startApplication().run(() =>
        injectChat({ turn: () => turns.shift() ?? of(), coalesce: 0 }),
      );
      at(0, () => chat.send('Hi'));
      at(3, () => chat.send('No, this'));
      expectSubscriptions(first.subscriptions).toBe('^--!');
      expectSubscriptions(second.subscriptions).toBe('---^!');
      flush();
      expect(shown(chat)).toBe('user: Hi | assistant: Hel | user: No, this | assistant: lo | completed');
      expect(chat.messages()[1]).toMatchObject({ state: { status: 'stopped' } });
    });
  });

  it('makes an error a state that keeps the text, and asks the question again when told to', () => {
    const error = new StreamError();
    const turns = [
      concat(
        of(text('Hel')),
        throwError(() => error),
      ),
      of(text('Hello'), completed()),
    ];
    const prompts: Prompt[] = [];
    const chat = startApplication().run(() =>
      injectChat({
        coalesce: 0,
        turn: (prompt) => {
          prompts.push(prompt);
          return turns.shift() ?? of();
        },
      }),
    );
    chat.send('Hi');
    expect(shown(chat)).toBe('user: Hi | assistant: Hel | error');
    expect(chat.error()).toBe(error);
    chat.regenerate();
    expect(shown(chat)).toBe('user: Hi | assistant: Hello | completed');
    expect(chat.error()).toBeUndefined();
    expect(prompts.map(textsOf)).toEqual([['user: Hi'], ['user: Hi']]);
  });

  it('takes what is no Observable, and what throws, for an error of the answer', () => {
    const failure = new Error('theirs');
    const chat = startApplication().run(() =>
      injectChat({
        turn: () => {
          throw failure;
        },
        coalesce: 0,
      }),
    );
    chat.send('Hi');
    expect(chat.error()).toBeInstanceOf(ApplicationError);
    expect(chat.error()?.cause).toBe(failure);
  });

  it('asks an older question again, from its own id or its answer’s, and drops what followed it', () => {
    for (const place of [0, 1]) {
      const chat = conversation();
      const id = chat.messages()[place]?.id as string;
      chat.regenerate(id);
      expect(shown(chat)).toBe('user: one | assistant: 3 to one | completed');
      expect(chat.messages()[0]?.id).toBe(chat.messages()[0]?.id);
    }
    const chat = conversation();
    const before = chat.messages();
    chat.regenerate();
    expect(shown(chat)).toBe('user: one | assistant: 1 to one | user: two | assistant: 3 to two | completed');
    expect(chat.messages()[3]?.id).not.toBe(before[3]?.id);
  });

  it('replaces a question under its id, and drops what followed it', () => {
    const chat = conversation();
    const [question] = chat.messages();
    chat.edit(question?.id as string, 'uno');
    expect(shown(chat)).toBe('user: uno | assistant: 3 to uno | completed');
    expect(chat.messages()[0]?.id).toBe(question?.id);
  });

  it('refuses ids of nothing, and of what is not a question', () => {
    const chat = conversation();
    const before = chat.messages();
    expect(() => chat.regenerate('nobody')).toThrow(new RangeError('No message has this id.'));
    expect(() => chat.edit('nobody', 'x')).toThrow(new RangeError('No message has this id.'));
    expect(() => chat.edit(before[1]?.id as string, 'x')).toThrow(
      new RangeError('The message with this id is not a question.'),
    );
    expect(chat.messages()).toBe(before);
  });

  it('regenerates and stops nothing where nothing was asked', () => {
    const chat = startApplication().run(() => injectChat({ turn: () => of(), coalesce: 0 }));
    chat.regenerate();
    chat.stop();
    expect(chat.messages()).toEqual([]);
    expect(chat.state()).toBe(idleRunState);
  });

  it('forgets the conversation, and what would still come', () => {
    testScheduler().run(({ cold, expectSubscriptions, flush }) => {
      const source = cold('-a--b', events);
      const chat = startApplication().run(() => injectChat({ turn: () => source, coalesce: 0 }));
      at(0, () => chat.send('Hi'));
      at(3, () => chat.clear());
      expectSubscriptions(source.subscriptions).toBe('^--!');
      flush();
      expect(chat.messages()).toEqual([]);
      expect(chat.state()).toBe(idleRunState);
      expect(chat.isAnswering()).toBe(false);
    });
  });

  it('does not send a blank text', () => {
    const chat = conversation();
    const before = chat.messages();
    chat.send(' \n');
    chat.send([]);
    chat.edit(before[0]?.id as string, '');
    expect(chat.messages()).toBe(before);
  });

  it('sends items, and shows their text', () => {
    const prompts: Prompt[] = [];
    const chat = startApplication().run(() =>
      injectChat({
        coalesce: 0,
        turn: (prompt) => {
          prompts.push(prompt);
          return of(completed());
        },
      }),
    );
    const picture = { type: 'input_image', image_url: 'data:image/png;base64,AA==' } as const;
    chat.send({ role: 'user', content: [{ type: 'input_text', text: 'What is it?' }, picture] });
    chat.send({ role: 'user', content: [picture] });
    expect(chat.messages().map(({ text }) => text)).toEqual(['What is it?', '', '', '']);
    expect(prompts[1]?.input).toHaveLength(2);
    expect(() => chat.send(5 as never)).toThrow(TypeError);
  });

  it('ends with its injection context: the request is aborted, and nothing begins any more', () => {
    testScheduler().run(({ cold, expectSubscriptions, flush }) => {
      const source = cold('-a--b', events);
      const application = startApplication();
      const chat = application.run(() => injectChat({ turn: () => source, coalesce: 0 }));
      at(0, () => chat.send('Hi'));
      at(3, () => application.destroy());
      at(4, () => {
        chat.send('More');
        chat.regenerate();
        chat.clear();
      });
      expectSubscriptions(source.subscriptions).toBe('^--!');
      flush();
      expect(chat.messages()).toHaveLength(2);
    });
  });

  it('starts nothing on a server', () => {
    let turns = 0;
    const messages = conversation().messages();
    const cut = [...messages.slice(0, 3), goingOn(messages[3] as ChatMessage)];
    const chat = startApplication({ platform: 'server' }).run(() =>
      injectChat({
        messages: cut,
        resume: true,
        turn: () => {
          turns += 1;
          return of(completed());
        },
      }),
    );
    const before = chat.messages();
    chat.send('Hi');
    chat.regenerate();
    chat.edit(messages[0]?.id as string, 'Hi');
    chat.clear();
    expect(turns).toBe(0);
    expect(chat.messages()).toBe(before);
    expect(chat.messages()).toHaveLength(4);
  });

  it('runs its turns outside Angular’s zone, also after an approval, so that no chunk checks the page', () => {
    let isOutside = false;
    const zone = {
      runOutsideAngular<T>(work: () => T): T {
        isOutside = true;
        try {
          return work();
        } finally {
          isOutside = false;
        }
      },
    };
    const application = startApplication({ providers: [{ provide: NgZone, useValue: zone }] });
    const turns = [of(called(call('x')), asked()), of(text('Hello'), completed())];
    const begun: boolean[] = [];
    const chat = application.run(() =>
      injectChat({
        tools: [tool({ name: 'x', approve: true, execute: () => 'sunny' })],
        turn: () =>
          defer(() => {
            begun.push(isOutside);
            return turns.shift() ?? of();
          }),
        coalesce: 0,
      }),
    );
    chat.send('Hi');
    chat.approve('x');
    expect(begun).toEqual([true, true]);
    expect(shown(chat)).toBe('user: Hi | assistant: Hello | completed');
  });

  it('does not make an effect that sends depend on what the turn reads', () => {
    const model = signal('small');
    const question = signal('one');
    const application = startApplication();
    const chat = application.run(() => {
      const inEffect = injectChat({ turn: () => of(text(model()), completed()), coalesce: 0 });
      effect(() => inEffect.send(question()));
      return inEffect;
    });
    application.tick();
    model.set('large');
    application.tick();
    expect(shown(chat)).toBe('user: one | assistant: small | completed');
    question.set('two');
    application.tick();
    expect(shown(chat)).toBe('user: one | assistant: small | user: two | assistant: large | completed');
  });

  describe('with tools', () => {
    const weather = (approve: boolean) => tool({ name: 'x', approve, execute: () => 'sunny' });

    it('runs them, and has every turn and tool in the state', () => {
      const turns = [of(called(call('x')), asked()), of(text('Sunny.'), completed())];
      const chat = startApplication().run(() =>
        injectChat({ turn: () => turns.shift() ?? of(), tools: [weather(false)], coalesce: 0 }),
      );
      chat.send('Weather?');
      expect(shown(chat)).toBe('user: Weather? | assistant: Sunny. | completed');
      expect(chat.state().run.steps.map(({ tools }) => tools.map(({ status }) => status))).toEqual([
        ['finished'],
        [],
      ]);
    });

    it.each([
      ['approve', 'finished'],
      ['reject', 'rejected'],
    ] as const)('waits for a decision: %s', (decide, status) => {
      const turns = [of(called(call('x')), asked()), of(text('Done.'), completed())];
      const chat = startApplication().run(() =>
        injectChat({ turn: () => turns.shift() ?? of(), tools: [weather(true)], coalesce: 0 }),
      );
      chat.send('Weather?');
      expect(chat.state().status).toBe('awaiting_approval');
      expect(chat.isAnswering()).toBe(true);
      chat[decide]('nobody');
      expect(chat.state().status).toBe('awaiting_approval');
      chat[decide](chat.state().run.steps[0]?.tools[0]?.callId as string);
      expect(shown(chat)).toBe('user: Weather? | assistant: Done. | completed');
      expect(chat.state().run.steps[0]?.tools[0]).toMatchObject({ status });
    });

    it('leaves the decision to an `approve` of the application', () => {
      const turns = [of(called(call('x')), asked()), of(text('Done.'), completed())];
      const chat = startApplication().run(() =>
        injectChat({
          turn: () => turns.shift() ?? of(),
          tools: [weather(true)],
          approve: () => true,
          coalesce: 0,
        }),
      );
      chat.send('Weather?');
      expect(chat.state().status).toBe('completed');
    });
  });

  describe('with a run', () => {
    it('takes it whole', () => {
      const chat = startApplication().run(() =>
        injectChat({
          run: (prompt) => runTools(prompt, { turn: () => of(text('Hello'), completed()), tools: [] }),
          coalesce: 0,
        }),
      );
      chat.send('Hi');
      expect(shown(chat)).toBe('user: Hi | assistant: Hello | completed');
      expect(chat.state().run.reason).toBe('answered');
    });
  });

  describe('from an earlier conversation', () => {
    it('goes on with it, through JSON too', () => {
      const messages = conversation().messages();
      const prompts: Prompt[] = [];
      const turn = (prompt: Prompt) => {
        prompts.push(prompt);
        return of(completed());
      };
      for (const kept of [messages, JSON.parse(JSON.stringify(messages)) as typeof messages]) {
        const chat = startApplication().run(() => injectChat({ turn, messages: kept, coalesce: 0 }));
        expect(shown(chat)).toBe(
          'user: one | assistant: 1 to one | user: two | assistant: 2 to two | completed',
        );
        chat.send('three');
      }
      expect(prompts[1]).toEqual(prompts[0]);
      expect(prompts[0]?.input).toHaveLength(5);
    });

    it('shows an answer that was cut off, or had failed, as stopped', () => {
      const error = new StreamError();
      const failing = startApplication().run(() =>
        injectChat({
          turn: () =>
            concat(
              of(text('Hel')),
              throwError(() => error),
            ),
          coalesce: 0,
        }),
      );
      failing.send('Hi');
      const kept = JSON.parse(JSON.stringify(failing.messages())) as ChatMessage[];
      for (const messages of [kept, [kept[0], goingOn(kept[1] as ChatMessage)] as ChatMessage[]]) {
        const chat = startApplication().run(() => injectChat({ turn: () => of(), messages, coalesce: 0 }));
        expect(shown(chat)).toBe('user: Hi | assistant: Hel | stopped');
        expect(chat.error()).toBeUndefined();
      }
      const same = startApplication().run(() =>
        injectChat({ turn: () => of(), messages: failing.messages() }),
      );
      expect(same.error()).toBe(error);
    });

    it.each([
      ['null for a step', [null]],
      ['a step without a turn', [{}]],
    ])('refuses an answer that has %s', (_, steps) => {
      const [question, answer] = conversation().messages() as [ChatMessage, ChatMessage];
      const messages = [question, { ...answer, state: { status: 'completed', run: { steps } } }];
      expect(() =>
        startApplication().run(() => injectChat({ turn: () => of(), messages: messages as ChatMessage[] })),
      ).toThrow(new TypeError('options.messages[1] is not a message of a chat.'));
    });

    it('takes what it cannot send back for an error of the answer, and answers again once that is gone', () => {
      const [question, answer] = conversation().messages() as [ChatMessage, ChatMessage];
      const run = { status: 'completed', reason: 'answered', steps: [{ input: [], turn: { text: 'cut' } }] };
      const messages = [question, { ...answer, state: { status: 'completed', run } }];
      const chat = startApplication().run(() =>
        injectChat({
          turn: () => of(text('Hello'), completed()),
          messages: messages as ChatMessage[],
          coalesce: 0,
        }),
      );
      chat.send('Hi');
      expect(chat.error()).toBeInstanceOf(ApplicationError);
      chat.regenerate(question.id);
      expect(shown(chat)).toBe(`user: ${question.text} | assistant: Hello | completed`);
    });

    it('resumes an answer that was cut off: the same id, the same turn, and what it had before', () => {
      testScheduler().run(({ cold, expectSubscriptions, flush }) => {
        const weather = tool({
          name: 'x',
          approve: false,
          execute: () => 'sunny',
        });
        const source = cold('-(bc|)', events);
        const turns = [of(called(call('x')), asked()), concat(of(text('Sun')), cold<ResponseEvent>('-'))];
        const first = startApplication();
        const cut = first.run(() =>
          injectChat({ turn: () => turns.shift() ?? of(), tools: [weather], coalesce: 0 }),
        );
        cut.send('Weather?');
        const kept = JSON.parse(JSON.stringify(cut.messages())) as ChatMessage[];
        first.destroy();
        expect(kept[1]).toMatchObject({ text: 'Sun', state: { status: 'streaming' } });

        const requests: unknown[] = [];
        const chat = startApplication().run(() =>
          injectChat({
            messages: kept,
            resume: true,
            tools: [weather],
            coalesce: 0,
            turn: (prompt, step, { id }) => {
              requests.push([step, id === kept[1]?.id, textsOf(prompt).length]);
              return source;
            },
          }),
        );
        expectSubscriptions(source.subscriptions).toBe('^!');
        flush();
        expect(requests).toEqual([[2, true, 3]]);
        expect(shown(chat)).toBe('user: Weather? | assistant: lo | completed');
        expect(chat.state().run.steps.map(({ tools }) => tools.length)).toEqual([1, 0]);
        expect(chat.messages()[1]?.id).toBe(kept[1]?.id);
      });
    });

    it('resumes a turn that was cut as one that is waited for: it did not break', () => {
      testScheduler().run(({ cold, flush }) => {
        const first = startApplication();
        const cut = first.run(() => injectChat({ turn: () => concat(of(text('Hel')), NEVER), coalesce: 0 }));
        cut.send('Hi');
        const kept = JSON.parse(JSON.stringify(cut.messages())) as ChatMessage[];
        first.destroy();
        const chat = startApplication().run(() =>
          injectChat({ messages: kept, resume: true, turn: () => cold('--a--b(c|)', events), coalesce: 0 }),
        );
        const seen: string[] = [];
        for (const frame of [0, 3, 9]) at(frame, () => seen.push(shown(chat)));
        flush();
        expect(seen).toEqual([
          'user: Hi | assistant:  | waiting',
          'user: Hi | assistant: Hel | streaming',
          'user: Hi | assistant: Hello | completed',
        ]);
        expect(chat.state().run.steps).toHaveLength(1);
      });
    });

    it.each([
      ['null', [null]],
      ['a message without an id', [{ role: 'user', input: [] }]],
      ['an unknown role', [{ id: 'a', role: 'system', input: [] }]],
      ['a question without items', [{ id: 'a', role: 'user' }]],
      ['an answer without a run', [{ id: 'a', role: 'assistant', state: {} }]],
    ])('refuses %s', (_, messages) => {
      expect(() =>
        startApplication().run(() => injectChat({ turn: () => of(), messages: messages as never })),
      ).toThrow(new TypeError('options.messages[0] is not a message of a chat.'));
    });
  });

  describe('and provideChat()', () => {
    it('takes what is provided, option by option', () => {
      const prompts: Prompt[] = [];
      const providers = [
        provideChat({
          instructions: 'Be short.',
          coalesce: 0,
          turn: (prompt) => {
            prompts.push(prompt);
            return of(text('provided'), completed());
          },
        }),
      ];
      const application = startApplication({ providers });
      const chat = application.run(() => injectChat());
      const other = application.run(() => injectChat({ instructions: 'Be long.' }));
      const third = application.run(() =>
        injectChat({
          run: (prompt) => runTools(prompt, { turn: () => of(text('own'), completed()), tools: [] }),
        }),
      );
      for (const each of [chat, other, third]) each.send('Hi');
      expect([chat, other, third].map(shown)).toEqual([
        'user: Hi | assistant: provided | completed',
        'user: Hi | assistant: provided | completed',
        'user: Hi | assistant: own | completed',
      ]);
      expect(prompts.map(({ instructions }) => instructions)).toEqual(['Be short.', 'Be long.']);
    });

    it('calls a function once, where it may inject', () => {
      let calls = 0;
      const WORD = new InjectionToken<string>('WORD');
      const application = startApplication({
        providers: [
          { provide: WORD, useValue: 'Hello' },
          provideChat(() => {
            calls += 1;
            const word = inject(WORD);
            return { turn: () => of(text(word), completed()), coalesce: 0 };
          }),
        ],
      });
      for (const chat of [application.run(() => injectChat()), application.run(() => injectChat())]) {
        chat.send('Hi');
        expect(shown(chat)).toBe('user: Hi | assistant: Hello | completed');
      }
      expect(calls).toBe(1);
    });

    it.each([
      ['neither', {}],
      ['both', { turn: () => of(), run: () => of() }],
    ])('needs turn or run: %s', (_, config) => {
      expect(() => startApplication().run(() => injectChat(config))).toThrow(
        new TypeError('injectChat() needs either turn or run, of its own or from provideChat().'),
      );
    });

    it('names an option of the wrong kind', () => {
      expect(() => startApplication().run(() => injectChat({ turn: 5 as never }))).toThrow(
        new TypeError('options.turn must be a function.'),
      );
    });
  });

  it('says where it may be called', () => {
    expect(() => injectChat({ turn: () => of() })).toThrow(/NG0203/);
  });
});

/** Two questions and their answers, counted. */
function conversation(): Chat {
  let count = 0;
  const chat = startApplication().run(() =>
    injectChat({
      coalesce: 0,
      turn: (prompt) => of(text(`${(count += 1)} to ${textsOf(prompt).at(-1)?.slice(6)}`), completed()),
    }),
  );
  chat.send('one');
  chat.send('two');
  return chat;
}

/** An answer as it was while it streamed. */
function goingOn(message: ChatMessage): ChatMessage {
  if (message.role === 'user') return message;
  const { run } = message.state;
  return {
    ...message,
    state: {
      status: 'streaming',
      run: { ...run, status: 'streaming', reason: undefined },
      error: undefined,
      retry: undefined,
    },
  };
}
