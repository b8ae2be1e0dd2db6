// This package with its default retry and idle timeout, the whole message by `aggregate()`.
import { lastValueFrom, reduce } from 'rxjs';
import { aggregate, turnOf } from '../library.mjs';

/** The whole message comes at once, so there is no first delta to measure. */
export const deltas = false;

export default ({ baseUrl }) =>
  lastValueFrom(
    turnOf(baseUrl).pipe(
      aggregate(),
      reduce((text, event) => (event.type === 'output_item_done' ? event.item.content[0].text : text), ''),
    ),
  );
