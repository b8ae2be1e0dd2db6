// This package with its default retry and idle timeout, the whole message by `aggregate()`.
import { filter, lastValueFrom, map } from 'rxjs';
import { aggregate, turnOf } from '../library.mjs';

/** The whole message comes at once, so there is no first delta to measure. */
export const deltas = false;

export default ({ baseUrl }) =>
  lastValueFrom(
    turnOf(baseUrl).pipe(
      aggregate(),
      filter(({ type, item }) => type === 'output_item_done' && item.type === 'message'),
      map(({ item }) => item.content.find(({ type }) => type === 'output_text')?.text ?? ''),
    ),
    { defaultValue: '' },
  );
