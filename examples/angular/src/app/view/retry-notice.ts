import { AsyncPipe } from '@angular/common';
import { ChangeDetectionStrategy, Component, computed, input } from '@angular/core';
import { toObservable } from '@angular/core/rxjs-interop';
import { distinctUntilChanged, map, type Observable, switchMap, takeWhile, timer } from 'rxjs';
import { TransportError, type TurnRetry, UnexpectedStatusError } from 'rxjs-chat-completions';

/** The wait for the next attempt. The seconds are for the eye: nothing here is a live region. */
@Component({
  selector: 'app-retry-notice',
  changeDetection: ChangeDetectionStrategy.OnPush,
  imports: [AsyncPipe],
  template: `
    <div class="card notice">
      <p>
        <span
          >{{ reason() }} Asking again in <b role="timer">{{ (seconds | async) ?? 0 }} s</b></span
        >
        <span class="quiet">Attempt {{ retry().attempt + 1 }}</span>
      </p>
      @for (wait of [retry()]; track wait.at) {
        <div class="bar" [style.animation-duration.ms]="wait.delay"></div>
      }
    </div>
  `,
})
export class RetryNotice {
  readonly retry = input.required<TurnRetry>();
  /** The answer had begun, and is gone. */
  readonly isRestart = input(false);

  protected readonly seconds: Observable<number> = toObservable(this.retry).pipe(
    switchMap(({ at }) =>
      timer(0, 250).pipe(
        map(() => Math.max(0, Math.ceil((at - Date.now()) / 1_000))),
        distinctUntilChanged(),
        takeWhile((seconds) => seconds > 0, true),
      ),
    ),
  );

  protected readonly reason = computed(() => {
    const { error } = this.retry();
    if (this.isRestart()) return 'The answer broke off.';
    if (error instanceof TransportError) return 'The server cannot be reached.';
    const isBusy = error instanceof UnexpectedStatusError && error.status === 429;
    return isBusy ? 'The server is busy.' : 'The server has a problem.';
  });
}
