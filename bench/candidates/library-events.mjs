// This package with its default retry and idle timeout, the deltas concatenated by the subscriber.
import { textDeltas, turnOf } from '../library.mjs';

export default ({ baseUrl, onDelta }) =>
  new Promise((resolve, reject) => {
    let text = '';
    turnOf(baseUrl)
      .pipe(textDeltas())
      .subscribe({
        next: (delta) => {
          text += delta;
          onDelta?.(delta);
        },
        error: reject,
        complete: () => resolve(text),
      });
  });
