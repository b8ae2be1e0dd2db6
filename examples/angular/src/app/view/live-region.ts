import { ChangeDetectionStrategy, Component, computed, effect, inject, untracked } from '@angular/core';
import type { RunState } from 'rxjs-chat-completions';
import { Chat } from '../chat/chat';
import { describeError } from '../chat/describe-error';
import { Announcer } from './announcer';

/**
 * Tells screen readers that an answer has begun, and what became of it. The answer itself stands outside:
 * a live region around it would read every token.
 */
@Component({
  selector: 'app-live-region',
  changeDetection: ChangeDetectionStrategy.OnPush,
  host: { class: 'visually-hidden', role: 'status', 'aria-live': 'polite' },
  // A new element each time: the same words again are news too.
  template: `@for (message of [announcer.message()]; track message.id) {
    <p>{{ message.text }}</p>
  }`,
})
export class LiveRegion {
  protected readonly announcer = inject(Announcer);
  readonly #chat = inject(Chat);
  readonly #phase = computed(() => phaseOf(this.#chat.state()));

  constructor() {
    let before: Phase = 'idle';
    effect(() => {
      const phase = this.#phase();
      // After a retry, a restart or a decision it is known that an answer is waited for.
      const isKnown = before === 'retrying' || before === 'restarting' || before === 'awaiting_approval';
      const isNews = phase !== 'idle' && !(phase === 'answering' && isKnown);
      before = phase;
      if (isNews) untracked(() => this.announcer.announce(wordsFor(phase, this.#chat.state())));
    });
  }
}

type Phase =
  'idle' | 'answering' | 'retrying' | 'restarting' | 'awaiting_approval' | 'completed' | 'stopped' | 'error';

function phaseOf({ status }: RunState): Phase {
  switch (status) {
    case 'waiting':
    case 'streaming':
    case 'running_tools':
      return 'answering';
    case 'pending':
      return 'completed';
    default:
      return status;
  }
}

/** Longer answers are left to be read where they stand. */
const longest = 300;

function wordsFor(phase: Phase, { run, error }: RunState): string {
  const text = run.steps.at(-1)?.turn.text ?? '';
  switch (phase) {
    case 'answering':
      return 'Answering.';
    case 'retrying':
      return 'The server is busy. The question is asked again.';
    case 'restarting':
      return 'The answer broke off. The question is asked again.';
    case 'awaiting_approval': {
      const asking = run.steps.at(-1)?.tools.find(({ status }) => status === 'awaiting_approval');
      return `The model wants to use ${asking?.call?.name ?? 'a tool'}. It waits for your decision.`;
    }
    case 'stopped':
      return 'Stopped.';
    case 'error': {
      const { title, advice } = describeError(error, text !== '');
      return `${title}. ${advice}`;
    }
    default: {
      const spoken = plainText(text);
      return spoken.length <= longest
        ? `Answer: ${spoken}`
        : `The answer is there: ${spoken.split(/\s+/).length} words.`;
    }
  }
}

/** Markdown without its marks, nearly enough for the ear. */
const plainText = (markdown: string): string =>
  markdown
    .replace(/^```.*$/gm, '')
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/[*_`#>|]+/g, '')
    .replace(/\s+/g, ' ')
    .trim();
