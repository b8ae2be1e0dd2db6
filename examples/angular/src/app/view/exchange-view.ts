import { ChangeDetectionStrategy, Component, computed, inject, input, output, signal } from '@angular/core';
import type { ChatAnswer, ChatQuestion } from 'rxjs-chat-completions/angular';
import { Announcer } from './announcer';
import { copyText } from './copy-text';
import { ErrorCard } from './error-card';
import { Question } from './question';
import { RetryNotice } from './retry-notice';
import type { Decision } from './tool-card';
import { TurnView } from './turn-view';

/** A question, its answer, and what can be done with it. */
@Component({
  selector: 'app-exchange',
  changeDetection: ChangeDetectionStrategy.OnPush,
  imports: [ErrorCard, Question, RetryNotice, TurnView],
  template: `
    <article [attr.aria-busy]="isBusy()" [attr.aria-labelledby]="'question-' + question().id">
      <app-question [question]="question()" (edited)="edited.emit($event)" />
      <div class="answer">
        @for (step of state().run.steps; track $index) {
          <app-turn
            [turn]="step.turn"
            [tools]="step.tools"
            [isGoingOn]="isBusy() && $last"
            (decided)="decided.emit($event)"
          />
        }

        @if (state().status === 'waiting') {
          <p class="waiting">
            <span class="visually-hidden">Waiting for the answer</span><i></i><i></i><i></i>
          </p>
        }
        @if (state().retry; as retry) {
          <app-retry-notice [retry]="retry" [isRestart]="state().status === 'restarting'" />
        }
        @if (state().error; as error) {
          <app-error-card [error]="error" [hasText]="text() !== ''" (again)="again.emit()" />
        }
        @if (note(); as note) {
          <p class="note">{{ note }}</p>
        }
        @if (!isBusy() && state().status !== 'error') {
          <footer>
            @if (text() !== '') {
              <button type="button" class="button plain" (click)="copy()">
                <svg class="icon" viewBox="0 0 20 20" aria-hidden="true">
                  <rect x="7" y="7" width="9.5" height="9.5" rx="2" />
                  <path d="M13 7V5.5a2 2 0 0 0-2-2H5.5a2 2 0 0 0-2 2V11a2 2 0 0 0 2 2H7" />
                </svg>
                {{ copyLabel() }}
              </button>
            }
            @if (isLast()) {
              <button type="button" class="button plain" (click)="again.emit()">
                <svg class="icon" viewBox="0 0 20 20" aria-hidden="true">
                  <path d="M16 10a6 6 0 1 1-1.8-4.3M16 3v3.2h-3.2" />
                </svg>
                Regenerate
              </button>
            }
            @if (state().run.usage; as usage) {
              <span class="quiet">{{ usage.totalTokens }} tokens</span>
            }
          </footer>
        }
      </div>
    </article>
  `,
})
export class ExchangeView {
  readonly question = input.required<ChatQuestion>();
  readonly answer = input.required<ChatAnswer>();
  readonly isLast = input(false);
  readonly again = output();
  /** The question as it should have been. */
  readonly edited = output<string>();
  readonly decided = output<Decision>();

  readonly #announcer = inject(Announcer);
  protected readonly state = computed(() => this.answer().state);
  protected readonly isBusy = computed(() => this.state().run.reason === undefined);
  readonly #lastTurn = computed(() => this.state().run.steps.at(-1)?.turn);
  /** What was said last: before it come the turns that called tools. */
  protected readonly text = computed(() => this.#lastTurn()?.text ?? '');

  /** What a reader should know about how it ended. */
  protected readonly note = computed(() => {
    const { status, run } = this.state();
    const turn = this.#lastTurn();
    if (status === 'stopped') return 'You stopped this answer.';
    if (status !== 'completed' || turn === undefined) return '';
    if (run.reason === 'max_turns') return 'The model kept calling tools, and was not asked again.';
    if (turn.finishReason === 'length') return 'The answer hit its length limit.';
    if (turn.finishReason === 'content_filter') return 'The rest was withheld by a content filter.';
    return turn.finishReason === null ? 'The answer may not be complete: its end was not marked.' : '';
  });

  protected readonly copyLabel = signal('Copy');

  protected copy(): void {
    void copyText(this.text()).then((isCopied) => {
      this.copyLabel.set(isCopied ? 'Copied' : 'Not copied');
      this.#announcer.announce(isCopied ? 'Answer copied.' : 'The answer could not be copied.');
      setTimeout(() => this.copyLabel.set('Copy'), 2_000);
    });
  }
}
