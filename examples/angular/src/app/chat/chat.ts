import { afterNextRender, computed, DestroyRef, effect, inject, Injectable, untracked } from '@angular/core';
import { userMessage } from 'rxjs-chat-completions';
import { type ChatAnswer, type ChatQuestion, injectChat, turnResource } from 'rxjs-chat-completions/angular';
import { keepChat, keptChat, type KeptChat } from './kept-chat';
import { TURNS } from './turns';

/** A question and what was answered. */
export interface Exchange {
  readonly question: ChatQuestion;
  readonly answer: ChatAnswer;
}

/** The conversation of this tab, which has a name and survives a reload. */
@Injectable({ providedIn: 'root' })
export class Chat {
  readonly #turns = inject(TURNS);
  readonly #kept = keptChat();
  readonly #chat = chatWith(this.#kept, this.#turns.sharedTurn !== undefined);

  readonly state = this.#chat.state;
  readonly isAnswering = this.#chat.isAnswering;

  readonly exchanges = computed(() => {
    const messages = this.#chat.messages();
    return messages.flatMap((question, place): Exchange[] => {
      const answer = messages[place + 1];
      return question.role === 'user' && answer?.role === 'assistant' ? [{ question, answer }] : [];
    });
  });

  readonly #firstQuestion = computed(() => this.exchanges()[0]?.question.text ?? '');

  /** What to name the conversation after, once its first answer is there. */
  readonly #toBeNamed = computed(() => {
    const [first, second] = this.exchanges();
    const isAnswered = first?.answer.state.status === 'completed' || second !== undefined;
    const question = this.#firstQuestion();
    return isAnswered && question !== this.#kept.name?.question ? question : undefined;
  });

  readonly #name = turnResource({
    params: () => this.#toBeNamed(),
    stream: ({ params: question }) =>
      this.#turns.turn({
        instructions: 'Name this conversation in at most five words. Give the name alone.',
        input: [userMessage(question)],
      }),
  });

  /** The whole name; it is asked for once. */
  readonly #named = computed(() => {
    const question = this.#firstQuestion();
    const { name } = this.#kept;
    if (question === '' || name?.question === question) return name;
    return this.#name.status() === 'resolved' ? { question, text: this.#name.turn().text.trim() } : undefined;
  });

  /** The name as it streams in, and until then the first question. */
  readonly title = computed(() => {
    const question = this.#firstQuestion();
    if (question === '') return '';
    return (this.#named()?.text ?? this.#name.turn().text.trim()) || question;
  });

  /** Changes when something begins or ends: what is stored with each frame is lost to the frame. */
  readonly #stage = computed(() => {
    const messages = this.#chat.messages();
    const { status, run } = this.state();
    return [messages.length, messages.at(-1)?.id, status, run.steps.length, this.#name.status()].join();
  });

  constructor() {
    const keep = () => keepChat({ messages: this.#chat.messages(), name: this.#named() });
    effect(() => {
      this.#stage();
      untracked(keep);
    });
    const destroyed = inject(DestroyRef);
    afterNextRender(() => {
      addEventListener('pagehide', keep);
      destroyed.onDestroy(() => removeEventListener('pagehide', keep));
    });
  }

  ask(question: string): void {
    this.#chat.send(question);
  }

  /** Asks the question of a message again. */
  askAgain(id: string): void {
    this.#chat.regenerate(id);
  }

  edit(id: string, question: string): void {
    this.#chat.edit(id, question);
  }

  decide(callId: string, isAllowed: boolean): void {
    if (isAllowed) this.#chat.approve(callId);
    else this.#chat.reject(callId);
  }

  stop(): void {
    this.#chat.stop();
  }

  clear(): void {
    this.#chat.clear();
  }
}

/** What cannot be shown again is forgotten. */
function chatWith({ messages }: KeptChat, resume: boolean) {
  try {
    return injectChat({ messages, resume });
  } catch {
    return injectChat();
  }
}
