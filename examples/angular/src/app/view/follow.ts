import { afterNextRender, DestroyRef, Directive, ElementRef, inject, signal } from '@angular/core';

/** How near to the end still counts as there, in pixels. */
const near = 64;

/** Keys that scroll upwards. Shift+Space does too. */
const upwards = ['ArrowUp', 'PageUp', 'Home'];

/**
 * Keeps the end of what grows in view, until its reader scrolls up. The wheel, the finger or the key that asks for it is
 * enough: browsers animate scrolling, and following for one more frame would cut the animation short.
 */
@Directive({
  selector: '[appFollow]',
  exportAs: 'appFollow',
  host: {
    '(scroll)': 'noteScroll()',
    '(click)': 'noteClick($event)',
    '(keydown)': 'noteKey($event)',
  },
})
export class Follow {
  readonly #element = inject<ElementRef<HTMLElement>>(ElementRef).nativeElement;
  readonly #isAtEnd = signal(true);
  readonly isAtEnd = this.#isAtEnd.asReadonly();
  #scrollTop = 0;
  #touchY = 0;

  constructor() {
    const destroyed = inject(DestroyRef);
    afterNextRender(() => {
      // Passive, which Angular's host listeners are not: the browser need not ask before it scrolls.
      const gone = new AbortController();
      const options = { passive: true, signal: gone.signal };
      this.#element.addEventListener('wheel', (event) => this.#noteWheel(event), options);
      this.#element.addEventListener('touchstart', (event) => this.#noteTouch(event), options);
      this.#element.addEventListener('touchmove', (event) => this.#noteTouch(event), options);
      destroyed.onDestroy(() => gone.abort());

      const observer = new ResizeObserver(() => {
        if (this.#isAtEnd()) this.scrollToEnd();
        else this.noteScroll();
      });
      observer.observe(this.#element);
      for (const child of this.#element.children) observer.observe(child);
      destroyed.onDestroy(() => observer.disconnect());
    });
  }

  scrollToEnd(): void {
    this.#element.scrollTop = this.#element.scrollHeight;
    this.#scrollTop = this.#element.scrollTop;
    this.#isAtEnd.set(true);
  }

  protected noteScroll(): void {
    const { scrollTop } = this.#element;
    const rest = this.#rest();
    // The first pixel upwards counts, and only the way down leads back: growing does not change whether the reader
    // has left, and neither does the event of an earlier scrollToEnd(), which comes late and has moved nothing.
    if (scrollTop < this.#scrollTop) this.#isAtEnd.set(rest < 1);
    else if (scrollTop > this.#scrollTop && rest < near) this.#isAtEnd.set(true);
    this.#scrollTop = scrollTop;
  }

  /** What a reader opens should stay where it was opened. */
  protected noteClick({ target }: Event): void {
    if (!(target instanceof Element) || target.closest('summary') === null) return;
    this.#isAtEnd.set(false);
    requestAnimationFrame(() => this.#isAtEnd.set(this.#rest() < near));
  }

  protected noteKey({ key, shiftKey }: KeyboardEvent): void {
    if (upwards.includes(key) || (key === ' ' && shiftKey)) this.#leave();
  }

  #noteWheel({ deltaY, ctrlKey }: WheelEvent): void {
    // With Ctrl it zooms.
    if (deltaY < 0 && !ctrlKey) this.#leave();
  }

  #noteTouch({ type, touches: [touch] }: TouchEvent): void {
    if (touch === undefined) return;
    if (type === 'touchmove' && touch.clientY > this.#touchY) this.#leave();
    this.#touchY = touch.clientY;
  }

  #leave(): void {
    if (this.#element.scrollTop > 0) this.#isAtEnd.set(false);
  }

  #rest(): number {
    const { scrollHeight, scrollTop, clientHeight } = this.#element;
    return scrollHeight - scrollTop - clientHeight;
  }
}
